class Meetings(ZoomResource):
    base = "https://api.zoom.us/v1"
    resource = "meeting"

    def create(self, **form):
        return self.call("create", form)

    def end(self, id):
        return requests.post(self.base + "/" + self.resource + "/end", data={"id": id})
