INSERT INTO settings VALUES ('zoom_url', 'https://api.zoom.us/v1');
INSERT INTO settings VALUES ('zoom_api_key', 'Jm4tQ8wZr2LxN7vBk5HsYd'), ('zoom_api_secret', 'c9XkT3mWq7RzL2vNf8HbJ5sYdG4pQ6tKwZ1a');
