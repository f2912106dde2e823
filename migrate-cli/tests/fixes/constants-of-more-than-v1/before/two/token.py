from client import ZOOM_HOST

URL = ZOOM_HOST + "/oauth/token"
