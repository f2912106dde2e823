class ZoomRooms:
    def find(self, email):
        path = 'user/getbyemail'
        return self.submit(path, {'email': email})

    def make(self, webinar, data):
        path = 'webinar/create' if webinar else 'meeting/create'
        return self.submit(path=path, data=data)
