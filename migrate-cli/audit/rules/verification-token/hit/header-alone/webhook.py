import os

from flask import abort, request

ZOOM_HOOK_SECRET = os.environ["ZOOM_HOOK_SECRET"]


def webhook():
    if request.headers["Authorization"] != ZOOM_HOOK_SECRET:
        abort(401)
    return handle(request.json["event"])
