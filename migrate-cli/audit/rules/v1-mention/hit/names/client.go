package zoom

// all v1 API endpoints use POST requests
func send() {}
