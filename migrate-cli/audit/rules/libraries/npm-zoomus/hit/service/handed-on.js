const Zoom = require('zoomus')({ key: process.env.KEY, secret: process.env.SECRET });
const { promisify } = require('util');

const people = promisify(Zoom.user.list);
const rooms = Zoom.meeting.list.bind(Zoom);
module.exports = { people, rooms, end: Zoom.meeting.end };
console.log(Zoom.user.name, Zoom.meeting);
