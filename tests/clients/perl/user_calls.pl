#!/usr/bin/env perl
# Calls v1 with Perl's own HTTP::Tiny: forms, as scripts did that reported who has an account.
#
# usage: user_calls.pl V1_URL API_KEY API_SECRET
use strict;
use warnings;
use utf8;
use HTTP::Tiny;
use JSON::PP;
use Test::More;

@ARGV == 3 or die "usage: $0 V1_URL API_KEY API_SECRET\n";
my ($url, $key, $secret) = @ARGV;
my $http = HTTP::Tiny->new(timeout => 15);

sub call {
    my ($operation, %parameters) = @_;
    my $response = $http->post_form("$url/$operation",
        { api_key => $key, api_secret => $secret, data_type => 'JSON', %parameters });
    return ($response->{status}, decode_json($response->{content}));
}

my ($status, $made) = call('user/autocreate', email => 'perl@example.com', type => 2,
    password => 'Analytical4Engine', first_name => 'Zoë', enable_webinar => 'true');
is($status, 200, 'autocreate answers 200');
ok(!exists $made->{error}, 'and no error, not even an empty one');

my (undef, $user) = call('user/get', id => $made->{id});
is($user->{first_name}, 'Zoë', 'get shows the name');
ok(JSON::PP::is_bool($user->{enable_webinar}) && $user->{enable_webinar}, 'a switch is a boolean');
is($user->{webinar_capacity}, 100, 'the smallest webinar plan');

my ($seen, $number, $pages) = (0, 0, 1);
while ($number++ < $pages) {
    (undef, my $page) = call('user/list', page_size => 10, page_number => $number);
    $pages = $page->{page_count};
    $seen += grep { $_->{email} eq 'perl@example.com' } @{ $page->{users} };
}
is($seen, 1, 'list has the user once');

(undef, my $changed) = call('user/update', id => $made->{id}, dept => 'Größe & Maß', type => '');
like($changed->{updated_at}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/, 'update tells when');
(undef, $user) = call('user/get', id => $made->{id});
is("$user->{dept} $user->{type}", 'Größe & Maß 2', 'an empty parameter changes nothing');

(undef, my $gone) = call('user/delete', id => $made->{id});
is($gone->{id}, $made->{id}, 'delete names the user');
($status, my $nobody) = call('user/get', id => $made->{id});
is("$status $nobody->{error}{code}", '200 1001', 'who is gone is 1001, under status 200');
like($nobody->{error}{message}, qr/^User not exist: \Q$made->{id}\E$/, 'and named');

done_testing();
