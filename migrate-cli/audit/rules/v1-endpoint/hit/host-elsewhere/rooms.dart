final answer = await client.post('/v1/meeting/list', data: {
  'api_key': settings.key,
  'api_secret': settings.secret,
  'host_id': host,
});
