Zoom.DEFAULT_HOST = 'api.zoom.us';
Zoom.DEFAULT_PORT = '443';
Zoom.DEFAULT_BASE_PATH = '/v1/';
