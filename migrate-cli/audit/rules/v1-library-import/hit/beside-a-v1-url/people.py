from zoomus import ZoomClient

CREATE = "https://api.zoom.us/v1/meeting/create"
client = ZoomClient(key, secret)
people = client.user.list()
