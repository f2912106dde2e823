describe 'zoom' do
  it('opens a room') { post '/meeting/create', params: {} }
end
