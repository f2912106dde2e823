"""A client."""
from __future__ import annotations

import os
import requests

BASE = "https://api.zoom.us/v1/"
client = Client(base_url=os.environ.get('ZOOM_API_BASE', 'https://api.zoom.us/v1'))
