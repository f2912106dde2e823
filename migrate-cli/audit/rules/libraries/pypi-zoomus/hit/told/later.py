from functools import partial

from zoomus import ZoomClient

client = ZoomClient(KEY, SECRET, version=1)

everyone = partial(client.user.list, page_size=300)
pool.submit(client.meeting.end, id=room, host_id=host)
