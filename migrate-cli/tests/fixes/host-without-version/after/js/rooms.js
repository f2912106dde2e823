const https = require('https');

https.request({ hostname: 'shim.example.com', path: '/v1/meeting/list', method: 'POST' });
