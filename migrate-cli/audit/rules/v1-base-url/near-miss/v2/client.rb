class Client
  base_uri 'https://api.zoom.us/v2'
  MARKET = 'https://marketplace.zoom.us/docs/v1'
  OTHER = 'https://api.codeclimate.com/v1/badges'
end
