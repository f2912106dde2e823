package zoom

const (
	apiHost    = "shim.example.com"
	apiVersion = "/v1"
)
