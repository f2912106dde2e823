const config = require('../config/zoom.json');

function callConference(path, form) {
  form.api_key = process.env.KEY;
  form.api_secret = process.env.SECRET;
  return post(config.endpoint + path, form);
}

module.exports = { callConference };
