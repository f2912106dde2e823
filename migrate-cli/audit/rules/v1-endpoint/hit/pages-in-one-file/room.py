BASE = "https://api.zoom.us/v1"

app.add_url_rule("/user/list", view_func=people)
api.add_resource(People, "/user/get")


@app.route("/meeting/create", methods=["POST"])
def create():
    requests.post(BASE + "/meeting/create", data=form)
    return redirect("/meeting/list")
