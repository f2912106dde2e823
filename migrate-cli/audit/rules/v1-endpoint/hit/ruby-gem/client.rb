require 'httparty'

module Zoom
  class Client
    include HTTParty
    base_uri 'https://api.zoom.us/v1'
  end
end
