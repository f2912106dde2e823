my $base = 'https://api.zoom.us';
$ua->post(sprintf('%s/v%d/%s', $base, 1, 'user/list'), { api_key => $key });
