package people

const word = "Hq7fVm2xKt9bRz4wNc6sPj3dGy8aLe5uXo1i"

func all(form url.Values) {
	form.Set("api_secret", word)
	http.PostForm("https://api.zoom.us/v1/user/list", form)
}
