<?php
$zoom = Zoom::user()->find($id);
$zoom->meeting->end();
$zoom->user->create($data);
