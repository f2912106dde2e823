const base = 'https://api.zoom.us/v1/';
