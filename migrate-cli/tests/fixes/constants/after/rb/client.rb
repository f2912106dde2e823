class Client
  ZOOM_HOST = 'https://shim.example.com'
  ZOOM_BASE = "#{ZOOM_HOST}/v1"
end
