from zoomus import ZoomClient

client = ZoomClient(KEY, SECRET)


def people():
    return client.user.list(page_size=300)
