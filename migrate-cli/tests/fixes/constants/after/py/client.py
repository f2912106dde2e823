HOST = "https://shim.example.com"
VERSION = "/v1"


def call(path):
    return post(HOST + VERSION + path)


def users():
    return post(HOST + "/v1/user/list")
