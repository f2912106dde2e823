import zoom

ZOOM_BASE = 'https://api.zoom.us/v1/'


def room(action, form):
    return requests.post(ZOOM_BASE + 'meeting/' + action, data=form)
