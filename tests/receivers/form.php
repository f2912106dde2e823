<?php
// Receives notifications through $_POST, under `php -S`.
$known = isset($_POST['id']) || isset($_POST['content']);
$event = [
    'post' => $_POST,
    'body' => file_get_contents('php://input'),
    'content_type' => $_SERVER['CONTENT_TYPE'] ?? '',
    'authorization' => $_SERVER['HTTP_AUTHORIZATION'] ?? null,
    'path' => $_SERVER['REQUEST_URI'],
];
if (isset($_POST['content'])) {
    $event['content'] = json_decode($_POST['content'], true);
}
fwrite(fopen('php://stdout', 'w'), json_encode($event) . "\n");
http_response_code($known ? 200 : 404);
header('Content-Type: application/json');
echo '{"status":"ok"}';
