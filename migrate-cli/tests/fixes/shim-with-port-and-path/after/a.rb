class Client
  base_uri 'http://127.0.0.1:8080/zoom/v1'
end
