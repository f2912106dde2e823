<?php
return ['zoom_api' => 'https://api.zoom.us/v1/'];
