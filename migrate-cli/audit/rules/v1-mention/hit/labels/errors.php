<?php
define('BASE', 'https://api.zoom.us/v1/');
switch ($call) {
    case 'user/getbyemail':
        zoom_print_error('user/getbyemail', $error);
}
