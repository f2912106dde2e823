class Rooms:
    def create(self, room):
        return self.call('meeting/create', {'host_id': room.host, 'topic': room.topic, 'option_jbh': 'true'})
