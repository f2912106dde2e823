BASE = "https://api.zoom.us/v1/"

def people():
    return send(BASE + "user/list", {})

def open_room(form):
    meeting = {"option_host_video": form["option_host_video"]}
    return send(BASE + "meeting/create", meeting)
