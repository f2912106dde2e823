let hallBase = "https://api.zoom.us/v1/"
