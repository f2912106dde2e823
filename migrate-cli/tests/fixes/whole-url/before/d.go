package zoom

const Base = "https://api.zoom.us:443/v1"
