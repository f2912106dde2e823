from zoomus import ZoomClient

client = ZoomClient(KEY, SECRET)
users = client.user.list()
