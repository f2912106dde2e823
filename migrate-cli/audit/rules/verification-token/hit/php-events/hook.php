<?php
// Zoom posts its events here.
$verification_token = getenv('WEBHOOK_TOKEN');
if ($_SERVER['HTTP_AUTHORIZATION'] !== $verification_token) {
    http_response_code(401);
    exit;
}
$event = json_decode(file_get_contents('php://input'));
if ($event->event === 'meeting.ended') {
    close_room($event->payload->object->uuid);
}
