import requests


def create(room):
    url = Settings.first().create_url
    data = {'api_key': room.key, 'api_secret': room.secret, 'host_id': room.host,
            'option_jbh': 'true', 'option_start_type': 'video'}
    return requests.post(url, data=data)
