package zoom

const (
	apiHost    = "api.zoom.us"
	apiVersion = "/v1"
)
