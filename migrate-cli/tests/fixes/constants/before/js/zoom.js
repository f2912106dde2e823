Zoom.DEFAULT_HOST = 'api.zoom.us';
Zoom.DEFAULT_BASE_PATH = '/v1/';
