const Zoom = require('zoomus')({ key, secret })
const { user, meeting: rooms } = Zoom

user.list({}, done)
rooms.create({ topic }, done)
Zoom['user']['pending']({}, done)
Zoom["webinar"].list({}, done)
