const settings = {
  google: { project: 'rooms' },
  zoom: {
    base: 'https://api.zoom.us/v1/',
    apiKey: 'Jm4tQ8wZr2LxN7vBk5HsYd',
    api: { google: false, api_secret: 'c9XkT3mWq7RzL2vNf8HbJ5sYdG4pQ6tKwZ1a' },
  },
};
