<?php
$base = 'https://api.zoom.us/v1/';
show(json_decode(send($base . 'meeting/get', array('id' => $id))));

function show($meeting) {
    echo $meeting->option_host_video ? 'camera on' : 'camera off';
}
