<?php
define('ZOOM_URL', 'https://api.zoom.us/v1/');
$x = post(ZOOM_URL . 'user/list');
