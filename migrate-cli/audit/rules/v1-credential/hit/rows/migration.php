<?php
$base = 'https://api.zoom.us/v1/';
$db->query("INSERT INTO settings VALUES (2, 'key1', 'Jm4tQ8wZr2LxN7vBk5HsYd', 'zoom')");
