"""PyPI's zoomus in v1 mode, of any version, and what is expected of its answers."""

import zoomus


def connect(url, key, secret, **settings):
    """A client that talks v1 to `url`. No version takes a base URL as an argument."""
    if hasattr(zoomus, "API_VERSION_1"):
        from zoomus import client

        client.API_BASE_URIS[zoomus.API_VERSION_1] = url
        return zoomus.ZoomClient(key, secret, version=zoomus.API_VERSION_1, **settings)
    from zoomus.client import ZoomClient

    ZoomClient.BASE_URI = url
    return ZoomClient(key, secret, **settings)


class Watched:
    """A component of the client; remembers which of its calls were made."""

    def __init__(self, component):
        self.component = component
        self.offered = {name for name in vars(type(component)) if not name.startswith("_")}
        self.made = set()

    def __getattr__(self, name):
        self.made.add(name)
        return getattr(self.component, name)


def success(response):
    assert response.status_code == 200, response.status_code
    assert response.headers["Content-Type"].startswith("application/json")
    answer = response.json()
    assert "error" not in answer, answer
    return answer


def error(response, code, text):
    assert response.status_code == 200, response.status_code
    answer = response.json()
    assert answer["error"]["code"] == code, answer
    assert text in answer["error"]["message"], answer


def has(answer, types):
    for name, kind in types.items():
        assert type(answer.get(name)) is kind, (name, answer.get(name))


def raises(kind, call, text):
    try:
        call()
    except kind as raised:
        assert text in str(raised), raised
    else:
        raise AssertionError(f"no {kind.__name__}")
