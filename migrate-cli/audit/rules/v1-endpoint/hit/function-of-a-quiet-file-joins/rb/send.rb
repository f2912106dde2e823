# What the Zoom pages ask for.
def ask_booth(path, fields)
  form("#{SETTINGS[:booth_url]}#{path}", fields)
end
