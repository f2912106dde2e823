<?php
define('BASE', 'https://api.zoom.us');
function list_users() {
  $u = sprintf('%s/v%d/%s', BASE, 1, 'user/list');
  return post($u);
}
