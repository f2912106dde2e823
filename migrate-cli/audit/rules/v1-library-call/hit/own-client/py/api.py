import requests
class Conferences:
    def __init__(self, key, secret):
        self.base = 'https://api.zoom.us/v1/'
    def __getattr__(self, name):
        def call(**kw):
            return requests.post(self.base + name.replace('_', '/'), data=kw).json()
        return call
