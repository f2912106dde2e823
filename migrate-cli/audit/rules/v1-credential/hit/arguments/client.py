from zoomus import ZoomClient

client = ZoomClient('Jm4tQ8wZr2LxN7vBk5HsYd', 'c9XkT3mWq7RzL2vNf8HbJ5sYdG4pQ6tKwZ1a')
