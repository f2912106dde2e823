object Zoom {
    private const val BASE = "https://api.zoom.us/v1"

    fun users() = post("$BASE/user/list", mapOf("page_size" to 300))
    fun create(email: String) = post("${BASE}/user/custcreate", mapOf("email" to email))
}
