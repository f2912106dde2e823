BASE = ENV.fetch('ZOOM_API_BASE', 'https://shim.example.com/v1')
