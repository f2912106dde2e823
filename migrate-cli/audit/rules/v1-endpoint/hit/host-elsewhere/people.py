def people(session):
    return session.post('/v1/user/list', data={'api_key': KEY, 'api_secret': SECRET})
