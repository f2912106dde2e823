package zoomrooms

func find(email string) (answer, error) {
	path := "user/getbyemail"
	return transfer(path, email)
}

func make(webinar bool, data values) (answer, error) {
	path := "meeting/create"
	if webinar {
		path = "webinar/create"
	}
	return transfer(path, data)
}
