<?php
/* Template Name: Zoom calls us here */
$status = $_POST["status"];
$meeting = $_POST["id"];
if ($status == "STARTED") {
    note_start($meeting);
} elseif ($status == "ENDED") {
    wp_mail(get_option('admin_email'), 'Session over', 'Meeting ' . $meeting);
} elseif ($status == "JBH" || $status == "JOIN" || $status == "RECORDING_MEETING_COMPLETED") {
    // Nothing to do.
}
