class Client
  base_uri 'https://api.zoom.us/v2'
end
