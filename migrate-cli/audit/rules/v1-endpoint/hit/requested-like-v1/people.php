<?php
$people = remote('user/list', ['page_size' => 300]);
