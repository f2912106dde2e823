const Zoom = require('zoomus')({ key: process.env.KEY, secret: process.env.SECRET });

Zoom.user.custCreate({ email, type: 1 }, done);
