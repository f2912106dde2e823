package main

const zoom = "https://api.zoom.us/v1"

func main() {
	r.POST("/user/create", person)
	http.PostForm(zoom+"/meeting/create", form)
}
