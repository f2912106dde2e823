interface ZoomApi {
    @FormUrlEncoded
    @POST("user/custcreate")
    fun create(@Field("email") email: String): Call<User>

    companion object {
        const val BASE = "https://api.zoom.us/v1/"
    }
}
