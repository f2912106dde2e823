let base = "//api.zoom.us/v1"
