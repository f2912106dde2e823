import os

BASES = {"old": "https://api.zoom.us/v1", "https://api.zoom.us/v1": 1}
