<?php
$user = get('https://api.zoom.us/v2/users/me');
echo $user->lastLoginTime;
