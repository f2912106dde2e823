const { callConference } = require('./zoom');

exports.list = () => callConference('user/list', { page_size: 300 });
exports.page = () => render('user/list');
