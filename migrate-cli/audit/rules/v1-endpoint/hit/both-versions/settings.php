<?php
$settings->add(new admin_setting('mod_zoom/apiurl', 'https://api.zoom.us/v2/'));
