let url = "https://api.zoom.us/v1/user/list"
let zoomKey: String = "Jm4tQ8wZr2LxN7vBk5HsYd"
static let apiSecret: String = "c9XkT3mWq7RzL2vNf8HbJ5sYdG4pQ6tKwZ1a"
