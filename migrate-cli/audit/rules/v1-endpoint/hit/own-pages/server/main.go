package main

// opens zoom rooms
func main() {
	r.POST("/meeting/create", createRoom)
	e.GET("/user/get", person)
	http.Post(backend+"/user/create", "application/json", nil)
}
