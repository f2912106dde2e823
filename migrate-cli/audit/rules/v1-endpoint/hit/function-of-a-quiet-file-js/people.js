const { roomsSend } = require('./send');

exports.people = () => roomsSend('user/list', { page_size: 300 });
