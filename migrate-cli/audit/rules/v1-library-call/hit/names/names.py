from zoomus import ZoomClient


class Desk:
    def __init__(self):
        self.api = ZoomClient(KEY, SECRET)

    def people(self):
        return self.api.user.list()


with ZoomClient(KEY, SECRET) as c:
    c.user.pending()

people = Desk().api.user
a = ZoomClient(KEY, SECRET)
users = a.user
users.get(id=1)
