<?php
use Rignet\Zoom\ZoomAPI;

$zoom = ZoomAPI::getInstance();
$person = $zoom->getUserInfoByEmail(['email' => $email, 'login_type' => 100]);
