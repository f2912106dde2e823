<?php
$zoom = app('zoom');
$person = $zoom->user->custcreate(['email' => $email, 'type' => 1]);
$zoom->meeting->end(['id' => $room, 'host_id' => $person->id]);
