BASE = 'https://api.zoom.us/v1'

def rooms(host)
  address = <<~URL
    #{BASE}/meeting/list
  URL
  ask(address.strip, host_id: host)
end
