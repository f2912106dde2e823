"""Every call of PyPI's zoomus in v1 mode, its effect in a following read, its error paths: users
here, all else in meeting_calls.

usage: user_calls.py V1_URL API_KEY API_SECRET
"""

import sys
import xml.etree.ElementTree as xml

import meeting_calls
import requests
import zoomus
from client import Watched, connect, error, has, raises, success
from tap import check, run

VERSION = zoomus.__dict__.get("__version__", "0.1.7")
# The versions do not meet each other's users on the same shim.
MARK = VERSION.replace(".", "")
LEAVER = {"0.1.7": "adele.goldstine@example.com"}.get(VERSION, "beatrice.worsley@example.com")

SETTINGS_OF_A_USER = {
    "disable_chat": bool,
    "enable_cmr": bool,
    "enable_webinar": bool,
    "webinar_capacity": int,
    "meeting_capacity": int,
    "disable_feedback": bool,
    "enable_breakout_room": bool,
}
PROFILE = {
    "id": str,
    "email": str,
    "first_name": str,
    "last_name": str,
    "type": int,
    "pic_url": str,
    "pmi": int,
    "verified": int,
    "dept": str,
    "timezone": str,
    "created_at": str,
    "status": int,
    "token": str,
    "zpk": str,
    "zak": str,
}


def address(name):
    return f"{name}.{MARK}@example.com"


@check
def cust_create(user, _):
    """user.cust_create: a user whom get and get_by_email then show"""
    made = success(
        user.cust_create(
            email=address("custom"),
            type=2,
            first_name="Zoë",
            last_name="O'Neill & Söhne",
            disable_chat=True,
            enable_webinar=True,
            webinar_capacity=500,
        )
    )
    has(made, {**PROFILE, **SETTINGS_OF_A_USER})
    seen = success(user.get(id=made["id"]))
    has(seen, {**PROFILE, **SETTINGS_OF_A_USER})
    assert seen["email"] == address("custom")
    assert (seen["first_name"], seen["last_name"]) == ("Zoë", "O'Neill & Söhne")
    assert seen["disable_chat"] is True and seen["webinar_capacity"] == 500
    assert seen["zak"], "an account's user has a ZAK"
    again = success(user.get_by_email(email=address("custom"), login_type=99))
    assert again["id"] == made["id"]


@check
def cust_create_again(user, _):
    """user.cust_create of an address that is taken: 1005"""
    error(user.cust_create(email=address("custom"), type=2), 1005, "User already in the account")


@check
def cust_create_incomplete(user, _):
    """user.cust_create without email or type: ValueError, nothing sent"""
    raises(ValueError, lambda: user.cust_create(type=2), "'email' must be set")
    raises(ValueError, lambda: user.cust_create(email=address("x")), "'type' must be set")


@check
def create(user, _):
    """user.create: an invited user, whom pending then shows"""
    made = success(user.create(email=address("invited"), type=1, first_name="Emmy"))
    has(made, PROFILE)
    listed = success(user.pending(page_size=300))
    invited = [entry for entry in listed["users"] if entry["email"] == address("invited")]
    assert len(invited) == 1 and invited[0]["first_name"] == "Emmy", listed
    seen = success(user.get(id=invited[0]["id"]))
    assert seen["email"] == address("invited")


@check
def create_incomplete(user, _):
    """user.create without email: the client does not look, the answer says 300"""
    error(user.create(type=1), 300, "Email is required.")
    error(user.create(email=address("x")), 300, "Type is required.")
    error(user.create(email="no address", type=1), 300, "Invalid parameter: email")
    error(user.create(email=address("x"), type="many"), 300, "Invalid parameter: type")


@check
def update(user, _):
    """user.update: profile and settings, whom get then shows changed"""
    person = success(user.get_by_email(email=address("custom"), login_type=99))["id"]
    changed = success(
        user.update(
            id=person, dept="R&D + Größe", disable_chat=False, enable_cmr="True", last_name="Ünal"
        )
    )
    has(changed, {"id": str, "updated_at": str})
    seen = success(user.get(id=person))
    assert seen["dept"] == "R&D + Größe" and seen["last_name"] == "Ünal", seen
    assert seen["disable_chat"] is False and seen["enable_cmr"] is True, seen
    assert seen["first_name"] == "Zoë", "what is not given stays"


@check
def update_errors(user, _):
    """user.update: ValueError without id, 1001 for an unknown user, 300 for a value that is not a switch"""
    raises(ValueError, lambda: user.update(dept="x"), "'id' must be set")
    error(user.update(id="nobody", dept="x"), 1001, "User not exist: nobody")
    error(user.update(id=None, dept="x"), 300, "Id is required.")
    error(user.update(id="nobody", disable_chat="maybe"), 300, "Invalid parameter: disable_chat")


@check
def get_errors(user, _):
    """user.get: ValueError without id, 1001 for an unknown user, for me and for dots"""
    raises(ValueError, lambda: user.get(), "'id' must be set")
    for nobody in ("nobody", "me", ".", "..", "../users", "a/b?c#d"):
        error(user.get(id=nobody), 1001, f"User not exist: {nobody}")


@check
def get_by_email_errors(user, _):
    """user.get_by_email: ValueError without login_type, 1001 under another login type"""
    raises(ValueError, lambda: user.get_by_email(email="x"), "'login_type' must be set")
    raises(ValueError, lambda: user.get_by_email(login_type=100), "'email' must be set")
    for login_type in (0, 1, 101):
        answer = user.get_by_email(email=address("custom"), login_type=login_type)
        error(answer, 1001, "User not exist: " + address("custom"))


@check
def list_pages(user, _):
    """user.list: pages until there are no more, each user once"""
    found, number = [], 1
    while True:
        page = success(user.list(page_size=7, page_number=number))
        assert page["page_size"] == 7 and page["page_number"] == number, page
        found += [entry["id"] for entry in page["users"]]
        number += 1
        if number > page["page_count"]:
            break
    assert len(found) == len(set(found)) == page["total_records"], (len(found), page)
    custom = success(user.get_by_email(email=address("custom"), login_type=99))["id"]
    assert custom in found
    beyond = success(user.list(page_size=7, page_number=number))
    assert beyond["users"] == [] and beyond["total_records"] == page["total_records"]


@check
def list_defaults(user, _):
    """user.list without parameters: 30 entries with their settings"""
    page = success(user.list())
    assert (page["page_number"], page["page_size"], len(page["users"])) == (1, 30, 30), page
    for entry in page["users"]:
        has(entry, {k: v for k, v in PROFILE.items() if k != "pic_url"})
        has(entry, SETTINGS_OF_A_USER)


@check
def list_errors(user, _):
    """user.list: 300 for a page that is no number; 300 entries at most"""
    error(user.list(page_number="two"), 300, "Invalid parameter: page_number")
    assert success(user.list(page_size=5000))["page_size"] == 300


@check
def pending_pages(user, _):
    """user.pending: page by page"""
    first = success(user.pending(page_size=1))
    assert len(first["users"]) == 1 and first["page_count"] == first["total_records"] > 1
    second = success(user.pending(page_size=1, page_number=2))
    assert second["users"][0]["email"] != first["users"][0]["email"]


@check
def delete(user, _):
    """user.delete: an invited user is gone from pending, a second time is 1001"""
    gone = success(user.delete(id=address("invited"), type=1))
    has(gone, {"id": str, "deleted_at": str})
    listed = success(user.pending(page_size=300))
    assert address("invited") not in [entry["email"] for entry in listed["users"]]
    error(user.delete(id=address("invited"), type=1), 1001, "User not exist")


@check
def delete_active(user, _):
    """user.delete: an active user is gone from get and list"""
    person = success(user.get_by_email(email=LEAVER, login_type=100))["id"]
    success(user.delete(id=person))
    error(user.get(id=person), 1001, f"User not exist: {person}")
    listed = success(user.list(page_size=300))
    assert person not in [entry["id"] for entry in listed["users"]]


@check
def delete_errors(user, _):
    """user.delete: ValueError without id; v2's refusal to unlink reaches the client"""
    raises(ValueError, lambda: user.delete(), "'id' must be set")
    owner = "owner@example.com"
    error(user.delete(id=owner), 1117, "Can not disassociate Admin user")
    assert success(user.get(id=owner))["email"] == owner


@check
def me(user, _):
    """user.me, where the client has it: a GET without credentials gets the envelope"""
    if not hasattr(user.component, "me"):
        return
    response = user.me()
    assert response.status_code == 405, response.status_code
    assert response.json()["error"] == {"code": 405, "message": "Use POST."}


@check
def every_call(user, _):
    """every user call that the client offers was made"""
    assert user.made >= user.offered, user.offered - user.made


@check
def wrong_credentials(_, connection):
    """wrong and missing credentials: 200 and 300"""
    url, key, secret = connection
    wrong = "Invalid api key or secret"
    error(connect(url, key, "wrong-secret").user.list(), 200, wrong)
    error(connect(url, "wrong-secret", secret).user.list(), 200, wrong)
    changed = connect(url, key, secret)
    success(changed.user.list(page_size=1))
    changed.config["api_secret"] = ""
    error(changed.user.list(), 300, "Api key and secret are required.")


@check
def as_xml(_, connection):
    """data_type xml: answers and errors are XML"""
    client = connect(*connection, data_type="xml")
    response = client.user.get_by_email(email="ada.lovelace@example.com", login_type=100)
    assert response.headers["Content-Type"].startswith("application/xml")
    root = xml.fromstring(response.content)
    assert root.findtext("email") == "ada.lovelace@example.com"
    assert root.findtext("disable_chat") in ("true", "false")
    page = xml.fromstring(client.user.list(page_size=2).content)
    assert len(page.findall("users/user")) == 2
    unknown = xml.fromstring(client.user.get(id="nobody").content)
    assert unknown.findtext("error/code") == "1001"


@check
def unreachable(_, connection):
    """no server: the client raises its own error"""
    client = connect("http://127.0.0.1:9/v1", *connection[1:])
    raises(requests.exceptions.ConnectionError, client.user.list, "127.0.0.1")


if __name__ == "__main__":
    CONNECTION = tuple(sys.argv[1:4])
    if len(CONNECTION) != 3:
        sys.exit(__doc__)
    run(Watched(connect(*CONNECTION).user), CONNECTION)
