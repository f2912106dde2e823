from pw_zoomus import ZoomClient

client = ZoomClient(KEY, SECRET, version=1)


def people():
    return client.user.list(page_size=300)
