ZOOM = 'https://api.zoom.us/v1'

post '/meeting/create' do
  HTTParty.post("#{ZOOM}/meeting/create", body: form)
  redirect '/meeting/list'
end
