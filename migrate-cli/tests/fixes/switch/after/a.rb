class Client
  BASE = ENV.fetch('ZOOM_API_BASE', 'https://api.zoom.us/v1').freeze
  base_uri ENV.fetch('ZOOM_API_BASE', 'https://api.zoom.us/v1')
  def base
    'https://api.zoom.us/v1/'
  end
end
