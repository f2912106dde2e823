BASE = 'https://api.zoom.us'

def everyone
  HTTP.post(format('%s/v%d/%s', BASE, 1, 'user/list'))
end

def one
  HTTP.post('%s/v%d/%s' % [BASE, 1, 'user/get'])
end
