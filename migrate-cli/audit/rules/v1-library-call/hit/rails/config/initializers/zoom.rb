require 'zoomus'

Zoomus.configure do |c|
  c.api_key = ENV['ZOOM_KEY']
end

ZoomusClient = Zoomus.new
