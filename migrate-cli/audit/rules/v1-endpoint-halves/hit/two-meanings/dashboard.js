// Zoom's dashboard
const base = 'https://api.zoom.us/v1/';

module.exports = {
  path: 'metrics',
  chats: request({ path: 'im' }),
  calls: request({ path: 'crc' }),
};
