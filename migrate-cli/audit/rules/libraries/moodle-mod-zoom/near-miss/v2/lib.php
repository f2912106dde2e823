<?php
require_once($CFG->dirroot . '/mod/zoom/classes/webservice.php');

function local_attendance_participants($teacher, $meeting) {
    $zoom = new mod_zoom_webservice();
    $host = $zoom->make_call('users/' . $teacher->email);
    return $zoom->make_call_multipage("report/users/$host->id/meetings");
}
