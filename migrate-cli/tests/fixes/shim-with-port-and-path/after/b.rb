class Other
  HOST = 'http://127.0.0.1:8080/zoom'.freeze
  BASE = HOST + '/v1/'
end
