package zoom

const Base = "https://api.zoom.us/v1"
