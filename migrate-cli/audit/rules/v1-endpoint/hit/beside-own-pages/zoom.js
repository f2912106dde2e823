const { zoom } = require('./config');

module.exports.users = (form) => send(zoom + 'user/list', form);
