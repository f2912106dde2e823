from transport import ask


def enrol(person):
    known = ask("user/getbyemail", email=person.email, login_type=100)
    return known if "id" in known else ask("user/custcreate", email=person.email, type=1)
