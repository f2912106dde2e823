const BASE_URL = 'https://api.zoom.us/v2';
module.exports = { BASE_URL };
