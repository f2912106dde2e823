const { call } = require('./client');
// Zoom's people
module.exports.all = () => call('user/list', { page_size: 300 });
