class Client
  base_uri 'https://api.zoom.us/v1'
end
