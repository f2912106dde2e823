<?php
$base = 'https://api.zoom.us/v1';
$people = ask(<<<URL
{$base}/user/list
URL, ['page_size' => 300]);
