<?php
define('ZOOM_URL', 'https://shim.example.com/v1/');
$x = post(ZOOM_URL . 'user/list');
