my $answer = $agent->post("$settings->{host}/v1/user/list", \%form);
