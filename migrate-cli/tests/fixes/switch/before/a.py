"""A client."""
from __future__ import annotations

import requests

BASE = "https://api.zoom.us/v1/"
client = Client(base_url='https://api.zoom.us/v1')
