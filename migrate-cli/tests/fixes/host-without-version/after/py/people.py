import requests

HOST = 'https://shim.example.com'


def ask(path, **form):
    return requests.post(HOST + path, data=form).json()


ask('/v1/user/list', page_size=30)
