describe Zoom::Client do
  before { stub_request(:post, zoom_url('/user/custcreate')) }
end
