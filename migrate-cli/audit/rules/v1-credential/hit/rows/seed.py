BASE = "https://api.zoom.us/v1/"
SETTINGS = [
    ("zoom", "key1", "Jm4tQ8wZr2LxN7vBk5HsYd"),
    ("zoom", "secret1", "c9XkT3mWq7RzL2vNf8HbJ5sYdG4pQ6tKwZ1a"),
]
