exports.host = 'api.zoom.us';
exports.basePath = '/v1/';
