import http.client

connection = http.client.HTTPSConnection('api.zoom.us')
connection.request('POST', '/v1/user/list', form)
