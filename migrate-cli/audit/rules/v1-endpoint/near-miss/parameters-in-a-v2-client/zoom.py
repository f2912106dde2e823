# Zoom by tokens.
BASE = "https://api.zoom.us/v2"
keys = {"api_key": load("key"), "api_secret": load("secret")}
meeting = {"topic": "Standup", "option_jbh": True}

def open_meeting():
    return requests.post(BASE + "/users/me/meetings", json=meeting, headers=sign(keys))
