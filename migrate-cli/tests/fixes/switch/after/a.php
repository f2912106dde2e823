<?php
define('ZOOM_URL', 'https://api.zoom.us/v1/');
$base = getenv("ZOOM_API_BASE") ?: "https://api.zoom.us/v1";
$list = 'https://api.zoom.us/v1/' . $path;
class Client {
    const BASE = 'https://api.zoom.us/v1/';
    private $base = 'https://api.zoom.us/v1/';
    function __construct() { $this->base = 'https://api.zoom.us/v1/'; }
}
