import requests

HOST = 'https://api.zoom.us'


def ask(path, **form):
    return requests.post(HOST + path, data=form).json()


ask('/v1/user/list', page_size=30)
