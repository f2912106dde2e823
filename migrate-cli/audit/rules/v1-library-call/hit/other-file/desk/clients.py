from zoomus import ZoomClient

api = ZoomClient(KEY, SECRET)


def connect():
    return ZoomClient(KEY, SECRET)
