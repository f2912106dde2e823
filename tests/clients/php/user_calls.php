<?php
// Calls v1 in the manner of a PHP class that was copied into many programs: every request is
// executed twice on one handle, and the first answer counts.
//
// usage: php user_calls.php V1_URL API_KEY API_SECRET

if ($argc !== 4) {
    fwrite(STDERR, "usage: php user_calls.php V1_URL API_KEY API_SECRET\n");
    exit(2);
}
[, $url, $key, $secret] = $argv;
$second = null;

function send_twice(string $operation, array $data): stdClass
{
    global $url, $key, $secret, $second;
    $handle = curl_init();
    curl_setopt($handle, CURLOPT_URL, $url . '/' . $operation);
    curl_setopt($handle, CURLOPT_POST, true);
    curl_setopt($handle, CURLOPT_POSTFIELDS, http_build_query(
        $data + ['api_key' => $key, 'api_secret' => $secret, 'data_type' => 'JSON']));
    curl_setopt($handle, CURLOPT_RETURNTRANSFER, true);
    $response = curl_exec($handle);
    $second = json_decode(curl_exec($handle));
    if ($response === false) {
        throw new RuntimeException(curl_error($handle));
    }
    return json_decode($response, false, 32, JSON_THROW_ON_ERROR);
}

$count = 0;
$failed = 0;
function check(string $name, callable $holds): void
{
    global $count, $failed;
    $count++;
    try {
        $held = $holds();
        $why = '';
    } catch (Throwable $thrown) {
        $held = false;
        $why = "\n# " . $thrown->getMessage();
    }
    $failed += $held ? 0 : 1;
    echo ($held ? 'ok ' : 'not ok ') . "$count - $name$why\n";
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
echo "1..$count\n";
exit($failed === 0 ? 0 : 1);
