module Rooms
  class Settings
    attr_accessor :api_key, :api_secret

    def zoom_url
      @zoom_url ||= 'https://api.zoom.us/v1'
    end
  end
end
