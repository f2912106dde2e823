<?php
// The base of Zoom's API is in the settings.
$base = getenv('ZOOM_BASE');
echo "curl $base/user/get";
echo <<<HELP
Usage of the zoom command:
  user/list   everyone
  user/get    one person
HELP;
