Zoom.DEFAULT_HOST = 'shim.example.com';
Zoom.DEFAULT_BASE_PATH = '/v1/';
