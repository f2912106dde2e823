<?php
$zoomApi->listUsers();
$zoomApi->createMeeting($person->id, 2, 'Room');
