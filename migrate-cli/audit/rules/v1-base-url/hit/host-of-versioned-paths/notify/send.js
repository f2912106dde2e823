const https = require('https');

function send(form) {
  const request = https.request({ hostname: 'api.zoom.us', method: 'POST', path: '/v1/user/get' });
  request.end(form);
}
