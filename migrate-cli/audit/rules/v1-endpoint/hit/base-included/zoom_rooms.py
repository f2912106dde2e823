from transport import ask


def open_room(host):
    return ask('meeting/create', host_id=host, type=2, option_start_type='video')


def close_room(host, room):
    return ask('meeting/end', host_id=host, id=room)
