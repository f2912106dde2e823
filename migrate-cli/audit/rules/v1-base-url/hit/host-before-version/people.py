BASE = "https://api.zoom.us/"
VERSION = "v1/"


def url(path):
    return BASE + VERSION + path
