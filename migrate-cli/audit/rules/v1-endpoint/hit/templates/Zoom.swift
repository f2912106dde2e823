let base = "https://api.zoom.us"

func everyone() {
    post(String(format: "%@/v%d/%@", base, 1, "user/list"))
}
