// Zoom
func users(form: [String: String]) {
    let address = URL(string: "user/list", relativeTo: zoomBase)
    send(address, form)
}
