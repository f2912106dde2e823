from zoomus import ZoomClient

client = ZoomClient(KEY, SECRET)
users = client.user.list()
client.user.cust_create(email="ada.lovelace@example.com", type=1)
db.user.list()
