module Rooms
  class Base
    def self.perform_request(action, data = {})
      uri = URI("#{Rooms.settings.zoom_url}/#{name.downcase.sub('rooms::', '')}/#{action}")
      Net::HTTP.post_form(uri, Rooms.settings.credentials.merge(data))
    end
  end
end
