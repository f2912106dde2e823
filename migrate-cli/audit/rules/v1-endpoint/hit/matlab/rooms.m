% Lists the rooms.
base = 'https://api.zoom.us/v1/';
rooms = webwrite([base 'meeting/list'], 'api_key', key, 'api_secret', secret, 'host_id', host);
