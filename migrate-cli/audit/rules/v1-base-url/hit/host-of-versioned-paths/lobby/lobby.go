package lobby

var base = url.URL{Scheme: "https", Host: "api.zoom.us"}

func all() { base.Path = "/v1/user/list" }
