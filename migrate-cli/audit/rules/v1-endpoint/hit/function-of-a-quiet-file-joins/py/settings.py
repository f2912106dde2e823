ROOMS_BASE = "https://api.zoom.us/v1/"
