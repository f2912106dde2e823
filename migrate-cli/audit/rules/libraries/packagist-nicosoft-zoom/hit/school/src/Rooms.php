<?php
use Nicosoft\Zoom\Zoom;

$zoom = new Zoom(['api_key' => $key, 'api_secret' => $secret]);
$person = $zoom->custCreateAUser(['email' => $email, 'type' => 1]);
$room = $zoom->createAMeeting(['host_id' => $person->id]);
