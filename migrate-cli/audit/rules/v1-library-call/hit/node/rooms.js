const Zoom = require('zoomus')({ key: process.env.KEY, secret: process.env.SECRET });

Zoom.user.custCreate({ email, type: 1 }, done);
Zoom.meeting.create({ host_id, topic, type: 2 }, done);
store.user.list();
