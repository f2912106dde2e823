class Other
  HOST = 'https://www.zoom.us/api'.freeze
  BASE = HOST + '/v1/'
end
