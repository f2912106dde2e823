import requests

requests.post('HTTPS://API.ZOOM.US/v1/user/get', data=credentials)
requests.post('https://api.zoom.us:443/v1/user/list/', data=credentials)
requests.post('https://api.zoom.us/v1/User/GetByEmail', data=credentials)
