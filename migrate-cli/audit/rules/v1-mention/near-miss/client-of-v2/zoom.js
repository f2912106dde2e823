/**
 * Zoom API v1
 */
exports.handler = () => request('https://api.zoom.us/v2/users')
