def show(form):
    user = requests.post("https://api.zoom.us/v1/user/get", data=form).json()
    print(user.get("zpk"), user["lastLoginTime"])
