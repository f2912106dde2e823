<?php
use Example\Zoom\ZoomAPI;

$zoom = ZoomAPI::getInstance();
$zoom->getUserInfoByEmail($email);
