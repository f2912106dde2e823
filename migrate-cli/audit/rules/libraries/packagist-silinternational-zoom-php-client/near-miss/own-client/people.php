<?php
use Example\UserClient;

$userClient = new UserClient();
$userClient->getByEmail($email);
