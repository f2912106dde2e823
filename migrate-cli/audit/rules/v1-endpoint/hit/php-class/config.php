<?php
define('ZOOM_URL', 'https://api.zoom.us/v1/');
