Zoomus.configure do |settings|
  settings.api_key = ENV.fetch('ROOMS_KEY')
  settings.api_secret = ENV.fetch('ROOMS_SECRET')
end
