old = requests.post("https://api.zoom.us/v1/meeting/get", data=data).json()
data["option_jbh"] = request.form["option_jbh"]
data["option_audio"] = request.args.get("option_audio")
data["option_host_video"] = old["option_host_video"]
