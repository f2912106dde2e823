# What the Zoom pages ask for.
from settings import ROOMS_BASE


def send_rooms(path, fields):
    return form(f"{ROOMS_BASE}{path}", fields)
