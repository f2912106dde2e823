<?php
$base = 'https://api.zoom.us/v1';
exec("curl -s $base/user/list -d api_key=$key -d page_size=300");
echo "run curl $base/user/get";
