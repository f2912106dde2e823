"""Every call of PyPI's zoomus in v1 mode on meetings, webinars, recordings and reports, its effect
in a following read."""

from datetime import datetime, timedelta, timezone

from client import Watched, connect, error, has, raises, success
from tap import check

HOST = "ada.lovelace@example.com"
WEBINAR_HOST = "mary.jackson@example.com"
START = datetime(2031, 5, 1, 9, 30)

MEETING = {
    "uuid": str,
    "id": int,
    "host_id": str,
    "topic": str,
    "password": str,
    "status": int,
    "option_jbh": bool,
    "option_host_video": bool,
    "option_participants_video": bool,
    "option_audio": str,
    "type": int,
    "start_time": str,
    "duration": int,
    "timezone": str,
    "start_url": str,
    "join_url": str,
    "created_at": str,
}
WEBINAR = {
    "uuid": str,
    "id": int,
    "host_id": str,
    "topic": str,
    "agenda": str,
    "status": int,
    "option_audio": str,
    "type": int,
    "start_time": str,
    "duration": int,
    "start_url": str,
    "join_url": str,
    "created_at": str,
}


@check
def meetings(_, connection):
    """meeting: all calls; each shows in get and list"""
    meeting = Watched(connect(*connection).meeting)
    made = success(
        meeting.create(
            host_id=HOST,
            type=2,
            topic="Größen & Maße",
            start_time=START,
            duration=45,
            timezone="Europe/Berlin",
            password="e2718",
            option_jbh=True,
            option_host_video=True,
            option_audio="both",
        )
    )
    has(made, MEETING)
    assert made["start_time"] == "2031-05-01T09:30:00Z", made
    which = {"id": made["id"], "host_id": HOST}
    assert success(meeting.get(**which)) == made
    listed = success(meeting.list(host_id=HOST, page_size=300))["meetings"]
    assert made["id"] in [entry["id"] for entry in listed], listed
    for entry in listed:
        has(entry, MEETING)

    later = datetime(2031, 6, 1, 10, 0)
    changed = success(meeting.update(topic="Other", start_time=later, option_jbh=False, **which))
    has(changed, {"id": str, "updated_at": str})
    seen = success(meeting.get(**which))
    assert seen["topic"] == "Other" and seen["start_time"] == "2031-06-01T10:00:00Z", seen
    assert seen["option_jbh"] is False and seen["duration"] == 45, seen

    has(success(meeting.end(**which)), {"id": str, "ended_at": str})
    other = {"id": made["id"], "host_id": WEBINAR_HOST}
    error(meeting.delete(**other), 3003, "Not meeting host.")
    error(meeting.get(**other), 3001, "is not found or has expired")
    has(success(meeting.delete(**which)), {"id": str, "deleted_at": str})
    error(meeting.get(**which), 3001, "is not found or has expired")
    raises(ValueError, lambda: meeting.get(id=made["id"]), "'host_id' must be set")
    assert meeting.made >= meeting.offered, meeting.offered - meeting.made


@check
def webinars(_, connection):
    """webinar: all calls; each shows in get, list and upcoming"""
    webinar = Watched(connect(*connection).webinar)
    made = success(
        webinar.create(
            host_id=WEBINAR_HOST, topic="Lift", start_time=START, duration=45, agenda="Theory"
        )
    )
    has(made, WEBINAR)
    which = {"id": made["id"], "host_id": WEBINAR_HOST}
    assert success(webinar.get(**which)) == made
    without = success(webinar.list(host_id=WEBINAR_HOST, page_size=300))["webinars"]
    assert made["id"] in [entry["id"] for entry in without], without

    changed = success(webinar.update(topic="Drag", approval_type=0, **which))
    has(changed, {"id": str, "updated_at": str})
    seen = success(webinar.get(**which))
    assert seen["topic"] == "Drag" and seen["registration_url"], seen
    upcoming = success(webinar.upcoming(host_id=WEBINAR_HOST, page_size=300))["webinars"]
    assert made["id"] in [entry["id"] for entry in upcoming], upcoming

    person = {"email": "x@example.net", "first_name": "X", "last_name": "Y"}
    registered = success(webinar.register(id=made["id"], **person))
    has(registered, {"registrant_id": str, "id": int, "topic": str, "join_url": str})
    has(success(webinar.end(**which)), {"id": str, "ended_at": str})
    error(webinar.delete(id=made["id"], host_id=HOST), 3003, "Not meeting host.")
    has(success(webinar.delete(**which)), {"id": str, "deleted_at": str})
    error(webinar.get(**which), 3001, "not found or expired")
    error(webinar.list(host_id=HOST), 200, "Cannot use webinar API")
    assert webinar.made >= webinar.offered, webinar.offered - webinar.made


@check
def recordings(_, connection):
    """recording: list, get, delete, and what is deleted is listed no more"""
    recording = Watched(connect(*connection).recording)
    page = success(recording.list(host_id=HOST, page_size=300))
    assert page["total_records"] == len(page["meetings"]) > 1, page
    shown = page["meetings"][1]
    has(shown, {"uuid": str, "meeting_number": int, "topic": str, "recording_files": list})
    has(shown["recording_files"][0], {"id": str, "file_type": str, "download_url": str})
    got = success(recording.get(meeting_id=shown["uuid"]))
    assert got["uuid"] == shown["uuid"], got
    success(recording.delete(meeting_id=shown["uuid"]))
    left = success(recording.list(host_id=HOST, page_size=300))["meetings"]
    assert shown["uuid"] not in [entry["uuid"] for entry in left], left
    assert recording.made >= recording.offered, recording.offered - recording.made


@check
def reports(_, connection):
    """report: who met in the last days, and with whom"""
    report = Watched(connect(*connection).report)
    today = datetime.now(timezone.utc)
    days = {"start_time": today - timedelta(days=20), "end_time": today}
    account = success(report.get_account_report(**days))
    has(account, {"total_records": int, "total_meetings": int, "users": list})
    host = next(user for user in account["users"] if user["email"] == HOST)
    assert host["meetings"] > 0, host
    page = success(report.get_user_report(user_id=host["user_id"], page_size=5, **days))
    assert len(page["meetings"]) == 5, page
    for met in page["meetings"]:
        has(met["participants"][0], {"name": str, "join_time": str, "leave_time": str})
    if "get_daily_report" in report.offered:
        month = success(report.get_daily_report(month=today.month, year=today.year))
        has(month, {"year": int, "month": int, "dates": list})
    assert report.made >= report.offered, report.offered - report.made
