<?php
define('BASE', 'https://api.zoom.us');
function list_users() {
  $u = sprintf('%s/v%d/%s', BASE, 1, 'user/list');
  return post($u);
}
function get_user($base) {
  $base = 'https://api.zoom.us/v1';
  return post(sprintf("$base/%s", 'user/get'));
}
