describe People do
  before do
    stub_request(:post, 'https://api.zoom.us/v1/user/list')
    expect('https://api.zoom.us/v1/user/get').to be_known
  end
end
