<?php
use Zoom\UserClient;

$userClient = new UserClient(['api_key' => $key, 'api_secret' => $secret]);
$person = $userClient->getByEmail(['email' => $email, 'login_type' => 100]);
