<?php
$user = post('https://api.zoom.us/v1/user/get', $data);
echo $user->lastLoginTime;
if ($user['disable_chat']) { warn(); }
$data['disable_chat'] = true;
