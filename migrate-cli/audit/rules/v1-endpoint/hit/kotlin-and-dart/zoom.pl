my $base = 'https://api.zoom.us/v1';
# user/get is not called
my $answer = $ua->post("$base/user/pending", \%form);
