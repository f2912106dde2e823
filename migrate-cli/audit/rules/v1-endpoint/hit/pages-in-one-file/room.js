const base = 'https://api.zoom.us/v1/';
app.post('/meeting/create', (request, response) => {
  superagent.post(base + 'meeting/create').send(form).end(() => response.redirect('/meeting/list'));
});
this.$router.push('/user/list');
