BASE = "https://api.zoom.us"


def everyone(session):
    return session.post("%s/v%d/%s" % (BASE, 1, "user/list"))


def one(session):
    return session.post("{}/v{}/{}".format(BASE, 1, "user/get"))


def invited(session):
    return session.post(f"{BASE}/v{1}/{'user/pending'}")
