BASE = "https://api.zoom.us/v1"
PATHS = """
user/list
user/pending
""".split()


def everything(session):
    return [session.post(f"{BASE}/{path}") for path in PATHS]
