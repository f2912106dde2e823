use LWP::UserAgent;
my $base = 'https://api.zoom.us/v1';
my $ua = LWP::UserAgent->new;
my $url = <<URL;
$base/user/list
URL
chomp $url;
$ua->post($url, { api_key => $key });
my $other = <<"END" . "?x=1";
https://api.zoom.us/v1/user/get
END
my $third = <<~'END';
    https://api.zoom.us/v1/user/pending
    END
