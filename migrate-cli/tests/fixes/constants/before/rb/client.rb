class Client
  ZOOM_HOST = 'https://api.zoom.us'
  ZOOM_BASE = "#{ZOOM_HOST}/v1"
end
