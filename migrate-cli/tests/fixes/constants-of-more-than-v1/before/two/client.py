ZOOM_HOST = "https://api.zoom.us"


def old(path):
    return post(ZOOM_HOST + "/v1/user/list")
