"""Calls every operation of v1 at least once, at a shim before the sandbox as it starts.

usage: operations.py V1_URL API_KEY API_SECRET CHAT_TOKEN [ANSWERS]

A line of CALLS is an operation and its parameters; {NAME} is a value that an earlier answer had:
`NAME = path` behind an arrow keeps one. The path of an entry of a list has a number, or a member and
its value. A line that must fail ends with `! CODE`. ANSWERS gets each operation and its answer as a
line of JSON.
"""

import datetime
import json
import re
import sys
import urllib.parse
import urllib.request

CALLS = """
user/getbyemail email=ada.lovelace@example.com -> ada = id
user/getbyemail email=grace.hopper@example.com -> grace = id
user/getbyemail email=mary.jackson@example.com -> mary = id
user/getbyemail email=unknown@example.com ! 1001
user/get id={ada}
user/list page_size=300
user/pending
user/checkemail email=ada.lovelace@example.com
user/checkzpk zpk=x ! 300
user/create email=v1@example.com type=1 first_name=V
user/autocreate email=v2@example.com type=2 password=Analytical4Engine disable_chat=true -> made = id
user/autocreate2 email=v3@example.com type=2 password=Analytical4Engine
user/custcreate email=v4@example.com type=2
user/ssocreate email=v5@example.com type=2
user/update id={made} first_name=Else dept=D disable_chat=false enable_large=true large_capacity=100
user/updatepassword id={made} password=Difference5Engine
user/uploadpicture id={made} pic_file={picture}
user/deactivate id={made}
user/activate id={made}
user/assistant/set id={mary} assistant_email=grace.hopper@example.com
user/scheduleforhost/list id={mary}
user/assistant/delete id={mary} assistant_email=grace.hopper@example.com
user/revoketoken id={made}
user/delete id={made}
user/permanentdelete email=v4@example.com

meeting/create host_id={ada} type=1 topic=Now
meeting/create host_id={ada} type=8 topic=Weekly start_time=2031-05-01T09:30:00Z duration=45 timezone=Europe/Berlin recurrence={"type":2,"repeat_interval":1,"end_times":3} -> series = id
meeting/create host_id={ada} type=2 topic=Once start_time=2031-05-01T09:30:00Z duration=45 password=e2718 option_jbh=true option_host_video=1 option_participants_video=true option_cn_meeting=true option_in_meeting=true option_audio=both option_enforce_login=true option_enforce_login_domains=example.com option_alternative_hosts=grace.hopper@example.com option_auto_record_type=cloud option_registration=true registration_type=1 -> meeting = id
meeting/get id={meeting} host_id={ada}
meeting/get id={series} host_id={ada} -> occurrence = occurrences.0.occurrence_id
meeting/get id={meeting} host_id={grace} ! 3001
meeting/list host_id={ada} page_size=30
meeting/live
meeting/register id={meeting} email=x@example.net first_name=X last_name=Y org=Example no_of_employees=101-250 custom_questions=[{"title":"Why?","value":"So"}]
meeting/update id={meeting} host_id={ada} topic=Twice duration=50 option_jbh=false
meeting/delete id={series} host_id={ada} occurrence_id={occurrence}
meeting/end id={meeting} host_id={ada}
meeting/delete id={meeting} host_id={ada}

webinar/create host_id={mary} topic=Lift type=5 start_time=2031-05-01T09:30:00Z duration=45 agenda=Theory approval_type=1 option_audio=both panelists=[{"name":"P","email":"p@example.net"}] -> webinar = id
webinar/create host_id={ada} topic=T ! 200
webinar/get id={webinar} host_id={mary}
webinar/update id={webinar} host_id={mary} topic=Drag agenda= panelists=[{"name":"Q","email":"q@example.net"}]
webinar/list host_id={mary}
webinar/list/registration host_id={mary} -> coming = webinars.topic=Supersonic flows.id
webinar/register id={webinar} email=x@example.net first_name=X last_name=Y city=Paris -> registrant = registrant_id
webinar/registrants/list id={webinar} host_id={mary} type=0
webinar/registrants/approve id={webinar} host_id={mary} registrant_ids={registrant}
webinar/registration id={webinar} host_id={mary}
webinar/registration id={coming} host_id={mary} page_size=30
webinar/registration/cancel id={webinar} host_id={mary} registrants_ids={registrant}
webinar/panelists id={webinar} host_id={mary}
metrics/webinars type=2 {month} -> over = meetings.0.id
webinar/uuid/list id={over} host_id={mary} -> session = webinars.0.uuid
webinar/attendees/list id={over} host_id={mary}
webinar/polls id={over} host_id={mary} uuid={session}
webinar/questions id={over} host_id={mary}
webinar/end id={webinar} host_id={mary}
webinar/delete id={webinar} host_id={mary}

recording/list host_id={ada} -> recording = meetings.topic=Notes on the Engine.uuid
recording/list host_id={ada} -> slash = meetings.topic=Slash first.uuid
recording/list host_id={grace} page_size=10 page_number=2
mc/recording/list host_id={ada}
recording/get meeting_id={slash}
recording/get meeting_id={recording} -> file = recording_files.0.id
recording/delete meeting_id={recording} file_id={file}
recording/delete meeting_id={recording}
recording/get meeting_id={recording} ! 3301

report/getaccountreport {month}
report/getuserreport user_id={ada} {month} page_size=5
report/getuserreport user_id={mary} {month} page_size=5
report/getdailyreport year={year} month={number}
report/getaudioreport {month} type=1
report/getaudioreport {month} type=2

metrics/meetings type=1 {month} -> running = meetings.0.uuid
metrics/meetings type=2 {month} page_size=5 page_number=2 -> past = meetings.0.uuid
metrics/meetings type=3 {month}
metrics/webinars type=1 {month}
metrics/meetingdetail type=1 meeting_id={running}
metrics/meetingdetail type=2 meeting_id={past}
metrics/webinardetail type=2 meeting_id={session}
metrics/qos type=2 meeting_id={past} -> person = participants.0.user_id
metrics/qos type=2 meeting_id={past} user_id={person}
metrics/sharerecorddetail meeting_id={past}
metrics/sharerecorddetail meeting_id={running}
metrics/crc {month}
metrics/im {month}
metrics/zoomrooms -> room = zoom_rooms.0.id
metrics/zoomroomdetail id={room} {month}

chat/list {chat} {month} -> talk = chat_list.0.session_id
chat/get {chat} session_id={talk} {month}

group/create name=Engineers -> group = group_id
group/list
group/get id={group}
group/edit id={group} name=Navigators
group/member/add id={group} member_ids={ada},{grace}
group/member/list id={group}
group/member/delete id={group} member_ids={ada}
group/delete id={group}
im/group/create name=Chess type=Shared option_search_by_domain=true -> im = group_id
im/group/list
im/group/get id={im}
im/group/edit id={im} name=Go type=Restricted option_search_by_ma=true
im/group/member/add id={im} member_ids={ada},{grace}
im/group/member/list id={im}
im/group/member/delete id={im} member_ids={ada}
im/group/delete id={im}

h323/device/create name=Attic ip=192.0.2.9 -> device = id
h323/device/list
h323/device/update id={device} name=Cellar
h323/device/delete id={device}

ma/account/list -> free = subAccounts.account_name=Small office.id
ma/account/list -> paid = subAccounts.account_name=Observatory.id
ma/account/create email=new@sub.example.com first_name=N last_name=W password=Analytical4Engine enable_share_rc=true share_rc=a,b pay_mode=1 -> account = id
ma/account/get account_id={account}
ma/account/update account_id={paid} enable_share_rc=true share_rc=a,b disable_cmr_reminder=true meeting_capacity=500
ma/account/plan/get account_id={paid}
ma/account/plan/subscribe account_id={free} email=e@example.net first_name=N last_name=W phone_number=5550100 address=A apt=2 city=X country=US state=CA zip=95113 plan_base={"type":"monthly","hosts":10}
ma/account/plan/add account_id={free} plan={"type":"webinar500_monthly","hosts":1}
ma/account/plan/update account_id={free} type=1 plan={"type":"monthly","hosts":12}
ma/account/plan/update account_id={free} type=2 plan={"type":"webinar500_monthly","hosts":2}
ma/account/billing/update account_id={free} city=Boston
ma/account/delete account_id={account}
"""


def found(answer, path):
    for step in path.split("."):
        if isinstance(answer, list) and "=" in step:
            name, value = step.split("=")
            answer = next(entry for entry in answer if entry[name] == value)
        else:
            answer = answer[int(step)] if isinstance(answer, list) else answer[step]
    return str(answer)


def main():
    if len(sys.argv) not in (5, 6):
        sys.exit(__doc__)
    url, key, secret, chat_token = sys.argv[1:5]
    today = datetime.datetime.now(datetime.timezone.utc).date()
    known = {
        "month": f"from={today - datetime.timedelta(days=28)} to={today}",
        "year": str(today.year),
        "number": str(today.month),
        "chat": f"access_token={chat_token}",
        "picture": "\xff\xd8\xff\xe0\x00\x10JFIF",
    }
    answers = open(sys.argv[5], "w", encoding="utf-8") if len(sys.argv) == 6 else None
    failed = 0
    calls = [line for line in CALLS.splitlines() if line]
    for line in calls:
        wanted, _, kept = line.partition(" -> ")
        wanted, _, code = wanted.partition(" ! ")
        try:
            wanted = re.sub(r"\{(\w+)\}", lambda name: known[name[1]], wanted)
            operation, *given = re.split(r" (?=\w+=)", wanted)
            form = dict(pair.split("=", 1) for pair in given)
            form |= {"api_key": key, "api_secret": secret}
            body = urllib.parse.urlencode(form, encoding="latin-1").encode()
            with urllib.request.urlopen(f"{url}/{operation}", body, timeout=60) as response:
                answer = json.load(response)
            error = answer.get("error")
            if str(error["code"] if error else "") != code:
                raise ValueError(answer)
            if answers:
                print(json.dumps([operation, answer]), file=answers)
            for name, path in re.findall(r"(\w+) = (.+)", kept):
                known[name] = found(answer, path)
        except (OSError, ValueError, KeyError, IndexError, TypeError, StopIteration) as trouble:
            failed += 1
            print(f"not ok - {line}\n# {type(trouble).__name__}: {str(trouble)[:1000]}")
    print(f"{len(calls) - failed} passed, {failed} failed")
    sys.exit(failed > 0)


main()
