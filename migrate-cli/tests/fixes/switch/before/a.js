const https = require('https');
const base = 'https://api.zoom.us/v1/';
const url = 'https://api.zoom.us/v1/' + path;
