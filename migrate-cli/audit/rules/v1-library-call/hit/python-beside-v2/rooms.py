from zoomus import ZoomClient

client = ZoomClient(KEY, SECRET)


def open_room(person):
    return client.meeting.create(user_id=person, topic="Lesson", type=1)


def close_room(person, room):
    client.meeting.end(id=room, host_id=person)
