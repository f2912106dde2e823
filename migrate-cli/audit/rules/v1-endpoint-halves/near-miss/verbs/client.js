// Zoom v1 is gone; this is https://api.zoom.us/v2
module.exports = Resource.extend({
  path: 'user',
  list: method({ method: 'get', path: 'list' })
});
