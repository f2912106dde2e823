package zoom

const url = "https://api.zoom.us/v1/user/list"

var form = map[string]string{"api_key": "Jm4tQ8wZr2LxN7vBk5HsYd", "api_secret": "c9XkT3mWq7RzL2vNf8HbJ5sYdG4pQ6tKwZ1a"}
