const val BASE = "https://api.zoom.us"

fun everyone() = post("%s/v%d/%s".format(BASE, 1, "user/list"))
