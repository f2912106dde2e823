import zoomus


class Desk(zoomus.ZoomClient):
    def everybody(self):
        return self.user.list()


Desk(KEY, SECRET).user.delete(id=1)
