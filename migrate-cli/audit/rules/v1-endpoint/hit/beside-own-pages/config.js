module.exports = { zoom: 'https://api.zoom.us/v1/' };
