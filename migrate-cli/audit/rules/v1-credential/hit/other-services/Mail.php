<?php
$url = 'https://api.zoom.us/v1/user/list';
$mail = new SendgridMailer(array('api_key' => 'c9XkT3mWq7RzL2vNf8HbJ5sYdG4pQ6tKwZ1a'));
