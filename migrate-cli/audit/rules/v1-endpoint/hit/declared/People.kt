@HttpExchange("https://api.zoom.us/v1")
interface People {
    @PostExchange("/user/list")
    fun list(@RequestParam form: Map<String, String>): Page
}
