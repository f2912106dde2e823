var old = JObject.Parse(Post("https://api.zoom.us/v1/meeting/get", data));
data["option_jbh"] = Request.Form["option_jbh"];
data["option_host_video"] = old["option_host_video"];
