http = Net::HTTP.new("api.zoom.us", 443)
http.post("/v1/meeting/list", URI.encode_www_form(form))
