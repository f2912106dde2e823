<?php
$service = new mod_zoom_webservice();
if ($service->user_getbyemail($USER->email)) {
    $service->meeting_create($zoom);
}
