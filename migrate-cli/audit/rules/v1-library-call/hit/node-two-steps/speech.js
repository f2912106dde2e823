const ZoomSDK = require('zoomus');

const zoom = new ZoomSDK({ key: process.env.KEY, secret: process.env.SECRET });
zoom.meeting.create({ host_id, topic: 'Talk', type: 2 });
