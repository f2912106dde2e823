import requests

HOST = 'https://api.zoom.us'

requests.get(HOST + '/v2/users')
