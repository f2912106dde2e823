val word = "Hq7fVm2xKt9bRz4wNc6sPj3dGy8aLe5uXo1i"
fun all() = post("https://api.zoom.us/v1/user/list", mapOf("api_key" to key, "api_secret" to word))
