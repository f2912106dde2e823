module Zoom
  # Zoom's dashboards
  class Dashboards
    HOST = 'https://api.zoom.us/v2'

    def rooms
      path = '/metrics/zoomrooms'
      @client.call(:GET, path)
    end

    def chats
      path = '/metrics/im'
      @client.call(:GET, path)
    end

    def crc
      path = '/metrics/crc'
      @client.call(:GET, path)
    end
  end
end
