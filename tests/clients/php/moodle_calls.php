<?php
// Calls v1 as Moodle's activity module of 2015 to 2018 did: answers are stored and compared field by
// field, and texts of errors decide whether a meeting is gone.
//
// usage: php moodle_calls.php V1_URL API_KEY API_SECRET

require __DIR__ . '/client.php';

function make_call(string $operation, array $data): stdClass
{
    $options = [CURLOPT_USERAGENT => 'MoodleBot/1.0', CURLOPT_FOLLOWLOCATION => true, CURLOPT_HTTPHEADER => ['Expect:']];
    $answer = json_decode(post($operation, $data, 1, $options)[0]);
    if (!$answer) {
        throw new RuntimeException('invalid JSON');
    }
    if (isset($answer->error)) {
        throw new RuntimeException($answer->error->message);
    }
    return $answer;
}

// All pages of a report.
function make_call_multipage(string $operation, array $data, string $list): array
{
    $data['page_size'] = 300;
    $data['page_number'] = 0;
    $entries = [];
    do {
        $data['page_number']++;
        $page = make_call($operation, $data);
        $entries = array_merge($entries, $page->$list);
    } while ($page->page_count > $data['page_number']);
    return $entries;
}

function message(callable $call): string
{
    try {
        $call();
    } catch (RuntimeException $error) {
        return $error->getMessage();
    }
    return '';
}

$user = make_call('user/getbyemail', ['email' => 'ada.lovelace@example.com', 'login_type' => '100']);
$other = make_call('user/getbyemail', ['email' => 'grace.hopper@example.com', 'login_type' => '100']);
check('the text of the error for an unknown user', fn () => str_contains(message(fn () =>
    make_call('user/getbyemail', ['email' => 'unknown@example.com', 'login_type' => '100'])), 'User not exist'));

$stored = null;
check('meeting/create and get agree in every stored field', function () use ($user, &$stored) {
    $stored = make_call('meeting/create', [
        'host_id' => $user->id, 'topic' => 'Course & more', 'option_jbh' => true, 'option_host_video' => true,
        'option_participants_video' => false, 'option_audio' => 'both', 'password' => 'e2718', 'type' => 2,
        'start_time' => gmdate('Y-m-d\\TH:i:s\\Z', strtotime('+3 days 10:00')), 'duration' => 90,
        'timezone' => 'America/Los_Angeles',
    ]);
    $seen = make_call('meeting/get', ['id' => $stored->id, 'host_id' => $user->id]);
    unset($stored->start_url, $seen->start_url, $seen->occurrences);
    return $stored == $seen && is_int($stored->id) && $stored->option_participants_video === false;
});
check('meeting/update changes what get shows', function () use ($user, &$stored) {
    make_call('meeting/update', [
        'id' => $stored->id, 'host_id' => $user->id, 'topic' => 'Other', 'type' => 3, 'option_jbh' => false,
    ]);
    $seen = make_call('meeting/get', ['id' => $stored->id, 'host_id' => $user->id]);
    return $seen->topic === 'Other' && $seen->type === 3 && $seen->option_jbh === false;
});
check('a write to a meeting of another host does not say that it is gone', fn () => !str_contains(
    message(fn () => make_call('meeting/delete', ['id' => $stored->id, 'host_id' => $other->id])), 'not found'));
check('meeting/delete, and then it is gone', function () use ($user, &$stored) {
    $which = ['id' => $stored->id, 'host_id' => $user->id];
    make_call('meeting/delete', $which);
    return str_contains(message(fn () => make_call('meeting/get', $which)), 'not found')
        && str_contains(message(fn () => make_call('meeting/delete', $which)), 'not found');
});

$host = make_call('user/getbyemail', ['email' => 'mary.jackson@example.com', 'login_type' => '100']);
check('a webinar with an agenda; its past sessions and attendees', function () use ($host) {
    $made = make_call('webinar/create', [
        'host_id' => $host->id, 'topic' => 'Lecture', 'type' => 5, 'agenda' => 'About', 'duration' => 60,
        'start_time' => gmdate('Y-m-d\\TH:i:s\\Z', strtotime('+3 days 10:00')),
    ]);
    $which = ['id' => $made->id, 'host_id' => $host->id];
    $agenda = make_call('webinar/get', $which)->agenda;
    make_call('webinar/delete', $which);
    $days = ['from' => gmdate('Y-n-j', time() - 25 * 86400), 'to' => gmdate('Y-n-j')];
    $past = make_call('metrics/webinars', $days + ['type' => 2])->meetings[0];
    $session = make_call('webinar/uuid/list', ['id' => $past->id, 'host_id' => $host->id])->webinars[0];
    $people = make_call_multipage('metrics/webinardetail', ['meeting_id' => $session->uuid, 'type' => 2], 'participants');
    return $agenda === 'About' && isset($people[0]->user_name, $people[0]->join_time);
});
check('getuserreport over a whole course: cut to a month, and says so', function () use ($user) {
    $data = ['user_id' => $user->id, 'from' => gmdate('Y-n-j', time() - 200 * 86400), 'to' => gmdate('Y-n-j')];
    $first = make_call('report/getuserreport', $data);
    $meetings = make_call_multipage('report/getuserreport', $data, 'meetings');
    [$year, $month, $day] = array_map('intval', explode('-', $first->from));
    return checkdate($month, $day, $year) && $first->from > gmdate('Y-m-d', time() - 40 * 86400)
        && count($meetings) > 0 && is_int($meetings[0]->id) && is_array($meetings[0]->participants);
});
finish();
