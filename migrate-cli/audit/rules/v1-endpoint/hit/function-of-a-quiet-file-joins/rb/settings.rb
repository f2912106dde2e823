SETTINGS = { booth_url: 'https://api.zoom.us/v1/' }
