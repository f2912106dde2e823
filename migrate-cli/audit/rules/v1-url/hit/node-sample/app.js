app.post('/createUser', function (req, res) {
  var options = { qs: { api_key: key, api_secret: secret, email: req.body.email, type: 2 } };
  request('POST', "https://dev.zoom.us/v1/user/create", options).done(function () {
    res.redirect('/user/list');
  });
});
