package main

func create(r *http.Request, data map[string]string) {
	old := post("https://api.zoom.us/v1/meeting/get", data)
	data["option_jbh"], data["option_audio"] = r.FormValue("option_jbh"), r.Form.Get("option_audio")
	data["option_host_video"] = old["option_host_video"]
}
