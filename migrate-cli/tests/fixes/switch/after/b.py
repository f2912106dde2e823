import os

BASES = {"old": os.environ.get("ZOOM_API_BASE", "https://api.zoom.us/v1"), "https://api.zoom.us/v1": 1}
