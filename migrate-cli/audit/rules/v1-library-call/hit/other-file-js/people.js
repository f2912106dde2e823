const api = require('./client');
api.user.list({ page_size: 30 }, done);
