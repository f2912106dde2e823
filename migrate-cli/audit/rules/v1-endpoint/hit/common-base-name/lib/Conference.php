<?php
// Zoom
$base_url = 'https://api.zoom.us/v1/';
