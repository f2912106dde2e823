local BASE = "https://api.zoom.us"
function list()
  return post(string.format("%s/v%d/%s", BASE, 1, "user/list"))
end
