class Conferences
  BASE = 'https://api.zoom.us/v1/'
  def method_missing(name, args = {})
    HTTP.post(BASE + name.to_s.sub('_', '/'), form: args)
  end
end
