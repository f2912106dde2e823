<?php
return ['zoom' => ['url' => env('ZOOM_URL', 'https://api.zoom.us/v1/')]];
