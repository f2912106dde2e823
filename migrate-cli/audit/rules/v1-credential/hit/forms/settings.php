<?php
define('ZOOM_URL', 'https://api.zoom.us/v1/');
define('ZOOM_KEY', 'Jm4tQ8wZr2LxN7vBk5HsYd');
define('ZOOM_SECRET', 'c9XkT3mWq7RzL2vNf8HbJ5sYdG4pQ6tKwZ1a');
$settings = array('api_key' => 'Jm4tQ8wZr2LxN7vBk5HsYd', 'api_secret' => 'c9XkT3mWq7RzL2vNf8HbJ5sYdG4pQ6tKwZ1a');
