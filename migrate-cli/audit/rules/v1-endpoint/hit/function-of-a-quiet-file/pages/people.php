<?php
require '../lib/send.php';
$people = rooms_send('user/list', ['page_size' => 300]);
