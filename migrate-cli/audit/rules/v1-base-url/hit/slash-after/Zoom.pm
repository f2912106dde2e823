package Conference::Zoom;

my $base = 'https://api.zoom.us/v1';

sub ask {
    my ($self, $path, %form) = @_;
    my $answer = $self->{agent}->post("$base/$path", { api_key => $self->{key}, %form });
    return decode_json($answer->content);
}

1;
