const util = require('util');
const BASE = 'https://api.zoom.us';
function list() {
  return request.post(util.format('%s/v%d/%s', BASE, 1, 'user/list'));
}
