// What the Zoom pages ask for.
const { ROOMS_BASE } = require('./settings');

exports.roomsSend = function roomsSend(path, fields) {
  return form(ROOMS_BASE + path, fields);
};
