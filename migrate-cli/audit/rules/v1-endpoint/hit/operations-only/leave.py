from transport import ask


def leave(person):
    ask("user/delete", id=person.host)
