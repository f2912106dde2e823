<?php
require_once($CFG->dirroot . '/mod/zoom/classes/webservice.php');

function local_attendance_participants($teacher, $meeting) {
    $zoom = new mod_zoom_webservice();
    $path = 'user/getbyemail';
    $host = $zoom->make_call($path, array('email' => $teacher->email));
    return $zoom->make_call('report/getuserreport', array('user_id' => $host->id));
}
