<?php
// What the programs beside this share: the connection, and checks as lines of the Test Anything
// Protocol.

if ($argc !== 4) {
    fwrite(STDERR, "usage: php $argv[0] V1_URL API_KEY API_SECRET\n");
    exit(2);
}
[, $url, $key, $secret] = $argv;

// Sends equal requests on one handle; returns the bodies of the answers.
function post(string $operation, array $data, int $times = 1, array $options = []): array
{
    global $url, $key, $secret;
    $handle = curl_init();
    curl_setopt($handle, CURLOPT_URL, $url . '/' . $operation);
    curl_setopt($handle, CURLOPT_POST, true);
    curl_setopt($handle, CURLOPT_POSTFIELDS, http_build_query(
        $data + ['api_key' => $key, 'api_secret' => $secret, 'data_type' => 'JSON'], '', '&'));
    curl_setopt($handle, CURLOPT_RETURNTRANSFER, true);
    curl_setopt_array($handle, $options);
    $bodies = [];
    while ($times-- > 0) {
        $body = curl_exec($handle);
        if ($body === false) {
            throw new RuntimeException(curl_error($handle));
        }
        $bodies[] = $body;
    }
    return $bodies;
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

function finish(): never
{
    global $count, $failed;
    echo "1..$count\n";
    exit($failed === 0 ? 0 : 1);
}
