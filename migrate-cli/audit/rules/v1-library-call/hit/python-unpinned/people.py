from zoomus import ZoomClient


def meetings(client: ZoomClient, user):
    return client.meeting.list(host_id=user)
