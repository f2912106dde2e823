val user = JSONObject(post("https://api.zoom.us/v1/user/get", form))
val zpk = user.getString("zpk")
row.put("disable_chat", zpk)
