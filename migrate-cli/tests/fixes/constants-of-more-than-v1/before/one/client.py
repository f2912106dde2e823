HOST = "https://api.zoom.us"


def old(path):
    return post(HOST + "/v1/user/list")


def new(path):
    return get(HOST + "/v2/users")
