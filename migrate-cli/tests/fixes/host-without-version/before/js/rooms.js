const https = require('https');

https.request({ hostname: 'api.zoom.us', path: '/v1/meeting/list', method: 'POST' });
