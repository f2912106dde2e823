package zoom

import (
	"fmt"
	"net/http"
	"net/url"
)

const base = "https://api.zoom.us"

func list(key string) (*http.Response, error) {
	u := fmt.Sprintf("%s/v%d/%s", base, 1, "user/list")
	return http.PostForm(u, url.Values{"api_key": {key}})
}
