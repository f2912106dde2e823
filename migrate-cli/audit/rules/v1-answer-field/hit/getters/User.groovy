def user = rest.post("https://api.zoom.us/v1/user/get") { body(form) }
println user.json.zpk
println user.json["lastLoginTime"] // not user.disable_chat
