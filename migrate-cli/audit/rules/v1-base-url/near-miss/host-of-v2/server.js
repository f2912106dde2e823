app.post('/v1/user/list', (request, response) => response.json(users));
