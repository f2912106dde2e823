import zoomus

client = zoomus.ZoomClient(key, secret, version=1)
user = client.user.get(
    id=address, login_type=100
)
waiting = client.user.list(status="pending")
more = client.user.list(status="pending", page_size=300)
other = client.user.get_by_email(**given)
made = client.user.cust_create(email=address, type=1)
