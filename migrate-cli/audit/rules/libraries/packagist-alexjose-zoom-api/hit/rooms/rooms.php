<?php
use alexjose\ZoomApi;

$zoomApi = new ZoomApi($key, $secret);
foreach ($zoomApi->listUsers()->users as $person) {
    $zoomApi->createMeeting($person->id, 2, 'Room');
}
