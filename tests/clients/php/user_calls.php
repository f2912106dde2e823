<?php
// Calls v1 in the manner of a PHP class that was copied into many programs: every request is
// executed twice on one handle, and the first answer counts.
//
// usage: php user_calls.php V1_URL API_KEY API_SECRET

require __DIR__ . '/client.php';
$second = null;

function send_twice(string $operation, array $data): stdClass
{
    global $second;
    [$first, $again] = post($operation, $data, 2);
    $second = json_decode($again);
    return json_decode($first, false, 32, JSON_THROW_ON_ERROR);
}

$person = null;
check('custcreate: made, and the second answer is 1005', function () use (&$person) {
    global $second;
    $person = send_twice('user/custcreate', [
        'email' => 'php@example.com', 'type' => 2, 'first_name' => 'Zoë & Co', 'disable_chat' => true,
    ]);
    return !isset($person->error) && is_int($person->pmi) && $second->error->code === 1005;
});
check('get: what was made; true came as 1', function () use (&$person) {
    $seen = send_twice('user/get', ['id' => $person->id]);
    return $seen->first_name === 'Zoë & Co' && $seen->disable_chat === true;
});
check('update: twice the same, false came as 0', function () use (&$person) {
    global $second;
    send_twice('user/update', ['id' => $person->id, 'disable_chat' => false, 'dept' => 'R&D']);
    $seen = send_twice('user/get', ['id' => $person->id]);
    return !isset($second->error) && $seen->disable_chat === false && $seen->dept === 'R&D';
});
check('uploadpicture: bytes in the form', function () use (&$person) {
    send_twice('user/uploadpicture', ['id' => $person->id, 'pic_file' => "\xff\xd8\xff\xe0\x00\x10JFIF"]);
    return send_twice('user/get', ['id' => $person->id])->pic_url !== '';
});
check('assistant/set: the second time is no error', function () {
    global $second;
    $set = send_twice('user/assistant/set', [
        'id' => '', 'host_email' => 'php@example.com', 'assistant_email' => 'grace.hopper@example.com',
    ]);
    return !isset($set->error) && !isset($second->error);
});
check('delete without an id, as the class sends it: 300', fn () =>
    send_twice('user/delete', [])->error->message === 'Id is required.');
check('permanentdelete: gone, and the second answer is 1001', function () {
    global $second;
    $gone = send_twice('user/permanentdelete', ['email' => 'php@example.com']);
    return isset($gone->deleted_at) && $second->error->code === 1001;
});

$meeting = null;
$host = 'ada.lovelace@example.com';
check('meeting/create: two meetings, as with v1', function () use (&$meeting, $host) {
    global $second;
    $meeting = send_twice('meeting/create', [
        'host_id' => $host, 'topic' => 'Größen & Maße', 'type' => 2, 'start_time' => '2031-05-01T09:30:00Z',
        'duration' => '', 'timezone' => '', 'password' => '', 'option_jbh' => true,
        'option_start_type' => 'video', 'option_host_video' => false,
    ]);
    return is_int($meeting->id) && is_int($second->id) && $meeting->id !== $second->id
        && $meeting->status === 0 && $meeting->option_jbh === true && $meeting->password === '';
});
check('meeting/update with nothing but ids, as the class sends it', function () use (&$meeting, $host) {
    global $second;
    $updated = send_twice('meeting/update', ['id' => $meeting->id, 'host_id' => $host]);
    return $updated->id === (string) $meeting->id && $second->updated_at !== '';
});
check('meeting/get and list show it', function () use (&$meeting, $host) {
    $seen = send_twice('meeting/get', ['id' => $meeting->id, 'host_id' => $host]);
    $page = send_twice('meeting/list', ['host_id' => $host, 'page_size' => '', 'page_number' => '']);
    return $seen->topic === 'Größen & Maße' && in_array($meeting->id, array_column($page->meetings, 'id'));
});
check('meeting/delete: gone, and the second answer is 3001', function () use (&$meeting, $host) {
    global $second;
    $deleted = send_twice('meeting/delete', ['id' => $meeting->id, 'host_id' => $host]);
    return $deleted->deleted_at !== '' && $second->error->code === 3001;
});
check('recording/list and the reports, each twice', function () use ($host) {
    global $second;
    $page = send_twice('recording/list', [
        'host_id' => $host, 'meeting_numnber' => '', 'from' => '', 'to' => '', 'page_size' => '', 'page_number' => '',
    ]);
    $same = $second->total_records === $page->total_records && count($page->meetings) > 1;
    $days = ['from' => gmdate('Y-m-d', time() - 20 * 86400), 'to' => gmdate('Y-m-d')];
    $report = send_twice('report/getaccountreport', $days);
    $met = send_twice('report/getuserreport', $days + ['user_id' => $report->users[0]->user_id]);
    return $same && $report->total_meetings > 0 && isset($met->meetings[0]->participants[0]->name);
});
finish();
