import requests

LOOKUP = "https://api.zoom.us/v1/user/getbyemail"


def lookup(email):
    """Finds a user; see https://api.zoom.us/v1/user/getbyemail."""
    token_url = ("https://api.zoom.us/v1"
                 "/user/get")
    return requests.post(LOOKUP, params={"email": email, "login_type": 100}), token_url
