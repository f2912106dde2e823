// Zoom users
module.exports = Resource.extend({
  path: 'user',

  custCreate: method({
    request: 'POST',
    path: 'custcreate'
  }),

  list: method({
    request: 'POST',
    path: 'list'
  })
});
