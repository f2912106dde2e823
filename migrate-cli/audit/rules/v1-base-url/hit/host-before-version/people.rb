base_uri = 'https://api.zoom.us/'
path = 'user/list'
version = 'v1/'
Net::HTTP.post_form(URI(base_uri + version + path), key)
