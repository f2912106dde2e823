# https://api.zoom.us/v1/ was the base
BASE = "https://api.zoom.us/v2"
