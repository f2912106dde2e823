class ZoomRooms {
    fun find(email: String): Answer {
        val path = "user/getbyemail"
        return deliver(path, email)
    }

    fun make(webinar: Boolean, data: Data): Answer {
        val path = if (webinar) "webinar/create" else "meeting/create"
        return deliver(path, data)
    }
}
