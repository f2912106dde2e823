BASES = {1: "https://api.zoom.us/v1", 2: "https://api.zoom.us/v2"}
