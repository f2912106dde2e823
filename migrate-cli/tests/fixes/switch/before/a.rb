class Client
  BASE = 'https://api.zoom.us/v1'.freeze
  base_uri 'https://api.zoom.us/v1'
  def base
    'https://api.zoom.us/v1/'
  end
end
