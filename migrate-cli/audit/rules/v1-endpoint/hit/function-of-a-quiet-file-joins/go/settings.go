package rooms

const attic = "https://api.zoom.us"
