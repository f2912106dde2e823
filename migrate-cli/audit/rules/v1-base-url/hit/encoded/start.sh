open "https://example.com/login?next=https%3a%2f%2fapi.zoom.us%2fv1"
