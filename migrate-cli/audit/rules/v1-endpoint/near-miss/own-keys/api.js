client.post('/v1/user/list', { api_key: key, page: 1 });
server.post('/v1/user/create', (request) => check(request.body.api_key, request.body.api_secret));
