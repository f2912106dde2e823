my $base = q{https://api.zoom.us/v1};
$ua->post(qq{$base/user/list}, { api_key => $key });
for my $path (qw(user/get user/pending)) {
    $ua->post("$base/$path", { api_key => $key });
}
