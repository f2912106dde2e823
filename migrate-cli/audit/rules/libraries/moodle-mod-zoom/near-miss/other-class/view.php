<?php
// Zoom and another service with a method of the same name.
$service = new mod_rooms_webservice();
if ($service->user_getbyemail($USER->email)) {
    $service->meeting_create($zoom);
}
