import Zoomus from 'zoomus';

const rooms = Zoomus({ key: process.env.KEY, secret: process.env.SECRET });
rooms.user.list({ page_size: 30 });
