"""The pages, how each is made, and what it must do. A new page is one more entry in `prepared`.

What a page does is a function that is handed the opened tab and tells what is wrong, or nothing.
"""

import contextlib
import http.server
import json
import os
import pathlib
import re
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field

ROOT = pathlib.Path(__file__).resolve().parents[2]


@dataclass
class Page:
    name: str
    url: str
    does: list = field(default_factory=list)
    """A server whose other addresses the page may ask for: `http://127.0.0.1:9090/`."""
    server: str = ""

    def may_ask_for(self, url):
        own = url.split("#")[0] == self.url.split("#")[0]
        return own or url.startswith("data:") or bool(self.server and url.startswith(self.server))


@contextlib.contextmanager
def prepared(work):
    """All pages, and what they need while they are looked at."""
    with old_shim() as address, running_shims(work) as (empty, trouble, v1, full):
        yield [
            Page("diff-recorded", diff_of_a_recording(work, address), [
                finding_a_field, finding_nothing, choosing_verdicts, choosing_an_operation,
                folding, the_slash_key,
            ]),
            Page("diff-beside-v2", diff_beside_v2(work), [choosing_verdicts]),
            Page("diff-same", diff_of_equals(work)),
            Page("audit", audit(work), [searching_the_audit, filtering_the_audit]),
            Page("audit-clean", audit_of_nothing(work)),
            *[Page(f"ui-{name}-empty", empty + path, [nothing_runs], empty) for name, path in UI],
            *[Page(f"ui-{name}", full + path, [nothing_runs], full) for name, path in UI],
            Page("ui-list", full + "/ui/exchanges", [searching_the_list, following_the_list(v1)], full),
            Page("ui-trouble", trouble + "/ui", [nothing_runs, trouble_comes_first], trouble),
            Page("ui-operation", full + "/ui/operation/user/update", [nothing_runs], full),
            Page("ui-exchange", full + an_exchange(full), [nothing_runs], full),
            Page("ui-reloading", full + "/ui?refresh", [], full),
        ]


# ---- the reports --------------------------------------------------------------------------------

LONG = "Department of analytical engines, difference engines and the weaving of algebraical patterns"
USER = {
    "id": "z8yAAAAA8bbbQ", "email": "ada.lovelace@example.com", "first_name": "Ada", "type": 2,
    "last_name": "Lovelace", "dept": LONG, "pmi": 2035134243, "timezone": "Europe/London",
    "disable_chat": False, "enable_cmr": True, "created_at": "2013-01-12T07:00:00Z",
    "pic_url": "https://example.com/" + "p" * 120,
}


def migrate(*arguments, **environment):
    """Runs the program; a report with findings is one, too."""
    ended = subprocess.run([os.environ["MIGRATE"], *map(str, arguments)], capture_output=True,
                           text=True, env=os.environ | environment)
    if ended.returncode not in (0, 1):
        raise SystemExit(f"migrate {arguments}: {ended.stderr}")


@contextlib.contextmanager
def old_shim():
    """A server that answers reads of v1, some of them otherwise than they are recorded."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            form = self.rfile.read(int(self.headers["Content-Length"])).decode()
            asked = dict(urllib.parse.parse_qsl(form))
            if self.path == "/v1/user/list":
                answer = listed([dict(USER, dept="Sales")])
            elif self.path == "/v1/user/checkemail":
                answer = {"existed_email": asked["email"] != "grace.hopper@example.com"}
            else:
                answer = dict(USER, id=asked.get("id", USER["id"]))
                if asked.get("id") == "user-3":
                    answer["pmi"] = str(answer["pmi"])
                    del answer["enable_cmr"]
                    answer["note"] = "<script>alert(1)</script>"
            text = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def listed(users):
    return {"page_count": 1, "page_number": 1, "page_size": 30, "total_records": len(users),
            "users": users}


def diff_of_a_recording(work, address):
    asked = [("user/get", {"id": f"user-{number}"}, dict(USER, id=f"user-{number}"))
             for number in range(1, 7)]
    asked += [
        ("user/list", {"page_size": "30"}, listed([USER])),
        ("user/checkemail", {"email": "grace.hopper@example.com"}, {"existed_email": True}),
        ("user/getbyemail", {"email": USER["email"], "login_type": "100"}, USER),
    ]
    lines = [json.dumps({"format": 1, "id": f"19ab3f7c2d1-{number}", "micros": 900 * number,
                         "v1": {"operation": operation, "parameters": parameters, "answer": answer}})
             for number, (operation, parameters, answer) in enumerate(asked, 1)]
    recording, report = work / "recording.jsonl", work / "recorded.html"
    recording.write_text("\n".join(lines) + "\n")
    migrate("diff", "--recorded", recording, "--shim", address, "--rate", 10000, "--format", "html",
            "--output", report, MIGRATE_API_KEY="a-key", MIGRATE_API_SECRET="a-secret")
    return report.as_uri()


def diff_beside_v2(work):
    user = {"id": USER["id"], "email": USER["email"], "first_name": "Ada", "last_name": "Lovelace",
            "type": 2, "dept": "Sales", "pmi": USER["pmi"], "created_at": USER["created_at"]}
    settings = {"in_meeting": {"chat": False, "private_chat": True},
                "recording": {"auto_recording": "local", "cloud_recording": True}}
    files = {"v1": USER, "user": user, "settings": settings}
    for name, value in files.items():
        (work / f"{name}.json").write_text(json.dumps(value))
    report = work / "beside.html"
    migrate("diff", "--operation", "user/get", "--v1", work / "v1.json", "--v2", work / "user.json",
            "--v2", work / "settings.json", "--format", "html", "--output", report, "--all")
    return report.as_uri()


def diff_of_equals(work):
    (work / "same.json").write_text(json.dumps(USER))
    report = work / "same.html"
    migrate("diff", work / "same.json", work / "same.json", "--format", "html", "--output", report)
    return report.as_uri()


def audit(work):
    report = work / "audit.html"
    migrate("audit", ROOT / "migrate-cli/audit/rules", "--format", "html", "--output", report)
    return report.as_uri()


def audit_of_nothing(work):
    folder, report = work / "nothing", work / "nothing.html"
    folder.mkdir()
    (folder / "main.py").write_text("print('hello')\n")
    migrate("audit", folder, "--format", "html", "--output", report)
    return report.as_uri()


# ---- the pages of the shim ----------------------------------------------------------------------

ask = urllib.request.build_opener(urllib.request.ProxyHandler({})).open  # past proxies
UI = [("overview", "/ui"), ("callers", "/ui/callers"), ("traffic", "/ui/traffic"),
      ("losses", "/ui/losses"), ("exchanges", "/ui/exchanges"), ("unfinished", "/ui/unfinished"),
      ("differences", "/ui/differences"), ("rollouts", "/ui/rollouts"),
      ("deliveries", "/ui/deliveries")]
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\u202e\u200b'\"" + "x" * 10000


@contextlib.contextmanager
def running_shims(work):
    """Shims before sandboxes: the operations addresses of one without requests and of one without
    tokens; the v1 base and the operations address of one with many kinds of requests, beside a
    shadow with a wrong mapping."""
    changed = work / "changed"
    (changed / "user").mkdir(parents=True)
    text = (ROOT / "mappings/api/user/fields.toml").read_text()
    before, after = text.split('v1 = "disable_private_chat"')
    after = after.replace('convert = "negate"\n', "", 1)
    (changed / "user" / "fields.toml").write_text(f'{before}v1 = "disable_private_chat"{after}')
    with contextlib.ExitStack() as stack:
        _, empty = stack.enter_context(shim(work, "empty", "", "--mappings", changed))
        faults = "path=/oauth/token,status=401"
        no_token, trouble = stack.enter_context(shim(work, "trouble", "", "--sandbox-faults", faults))
        call(no_token, "user/get", {"id": "ada.lovelace@example.com"})
        shadow, _ = stack.enter_context(shim(work, "shadow", "", "--mappings", changed))
        config = f"""
[upstream]
plan = "pro"
[ui]
recent = 50
[ledger]
file = "{work / 'ledger.sqlite'}"
[shadow]
url = "{shadow}"
forward_credentials = true
mappings = "{changed}"
"""
        # The first change of settings fails for as long as it is tried.
        faults = "method=PATCH,path=/users/*/settings,status=500,times=1"
        v1, full = stack.enter_context(shim(work, "full", config, "--sandbox-faults", faults))
        for operation, parameters in [
            *[("user/getbyemail", {"email": "ada.lovelace@example.com", "login_type": "100"})] * 5,
            ("user/list", {"page_size": "30"}),
            ("user/get", {"id": "nobody"}),
            ("user/get", {"id": HOSTILE, HOSTILE: HOSTILE}),
            ("user/update", {"id": "ada.lovelace@example.com", "dept": HOSTILE, "track_id": "7",
                             "disable_private_chat": "true"}),
            ("meeting/list", {}),
            ("no/such", {}),
        ]:
            call(v1, operation, parameters)
        # Comparisons, and what is kept, come after the answers.
        for _ in range(200):
            compared = json.load(ask(f"{full}/differences"))["operations"]
            kept = ask(f"{full}/ui/exchanges").read().decode()
            if "user/update" in compared and re.search(r'href="/ui/exchanges/[^"]+">meeting/list', kept):
                break
            time.sleep(0.05)
        yield empty, trouble, v1, full


def call(v1, operation, parameters):
    credentials = {"api_key": "sandbox-key", "api_secret": "sandbox-secret"}
    form = urllib.parse.urlencode(credentials | parameters).encode()
    with contextlib.suppress(urllib.error.HTTPError):  # v1 never had one of the operations
        ask(f"{v1}/{operation}", form).read()


@contextlib.contextmanager
def shim(work, name, config, *arguments):
    """The v1 base and the operations address of a shim."""
    file = work / f"{name}.toml"
    file.write_text(config)
    command = [os.environ["SHIM"], "serve", "--sandbox", "--listen", "127.0.0.1:0", "--ops-listen",
               "127.0.0.1:0", "--config", file, *arguments]
    running = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, text=True)
    try:
        banner = running.stdout.readline() + running.stdout.readline()
        v1, ops = [word for word in banner.split() if word.startswith("http://")]
        yield v1, ops
    finally:
        running.terminate()
        running.wait()


def an_exchange(ops):
    page = ask(f"{ops}/ui/exchanges").read().decode()
    links = re.findall(r'href="(/ui/exchanges/[^"]+)">([^<]+)', page)
    return next(path for path, operation in links if operation == "user/update")


# ---- what they do -------------------------------------------------------------------------------

def nothing_runs(tab):
    own = ":not(script[src='/ui/live.js']):not(form[action='/ui/exchanges'])"
    active = tab.run(f"document.querySelectorAll(`:is(script, img, iframe, form, object){own}`).length")
    if active or "alert(" in tab.run("document.documentElement.outerHTML.match(/<[^>]*alert\\(/)?.[0] ?? ''"):
        return "something on it could run"


ROWS = "document.querySelectorAll('#live tbody tr').length"


def searching_the_list(tab):
    before = tab.run(ROWS)
    tab.run("document.querySelector('input[name=find]').focus()")
    tab.type("user/update")
    if not tab.until(f"{ROWS} < {before}"):
        return f"it still shows {before} requests"
    texts = tab.run("[...document.querySelectorAll('#live tbody th')].map((each) => each.textContent)")
    if not texts or any("user/update" not in text for text in texts):
        return f"it shows {texts}"


def following_the_list(v1):
    def new_requests_appear_by_themselves(tab):
        before = tab.run(ROWS)
        call(v1, "user/checkemail", {"email": "somebody@example.com"})
        if not tab.until(f"{ROWS} > {before}"):
            return "a new request does not appear"
    return new_requests_appear_by_themselves


def trouble_comes_first(tab):
    text = tab.run("document.querySelector('main section').textContent")
    if "no v2 token" not in text or "HTTP 401" not in text:
        return f"it begins with {text[:200]}"


SHOWN = "[...document.querySelectorAll('{}')].filter((each) => each.checkVisibility())"
EXCHANGES = SHOWN.format(".exchange")


def finding_a_field(tab):
    before = tab.run(f"{EXCHANGES}.length")
    tab.run("document.getElementById('find').focus()")
    tab.type("PMI")
    rows = tab.run(SHOWN.format(".exchange tbody tr") + ".map((each) => each.textContent)")
    if not rows or not all("pmi" in row.lower() for row in rows):
        return f"after a search for pmi it shows {rows[:2]}"
    after = tab.run(f"{EXCHANGES}.length")
    if not 0 < after < before:
        return f"{after} of {before} exchanges are shown"
    if not tab.run("document.getElementById('count').textContent").startswith(f"{after} of"):
        return "the count does not say so"


def finding_nothing(tab):
    tab.run("document.getElementById('find').focus()")
    tab.type("no such text")
    if tab.run(f"{EXCHANGES}.length"):
        return "something is shown"
    if "0 of" not in tab.run("document.getElementById('count').textContent"):
        return "the empty result is not announced"


def choosing_verdicts(tab):
    verdicts = "new Set(" + SHOWN.format(".exchange tbody tr") + ".map((each) => each.dataset.verdict))"
    if tab.run(f"{verdicts}.has('same')"):
        return "what is the same is shown without being asked for"
    tab.run("document.querySelector('input[value=same]').click()")
    if not tab.run(f"{verdicts}.has('same')"):
        return "what is the same is not shown when asked for"
    tab.run("document.querySelectorAll('input[name=verdict]').forEach((box) => box.checked && box.click())")
    if tab.run(f"{EXCHANGES}.length"):
        return "without any verdict something is shown"


def choosing_an_operation(tab):
    choice = "document.getElementById('operation')"
    tab.run(f"{choice}.value = 'user/list'; {choice}.dispatchEvent(new Event('input', {{bubbles: true}}))")
    titles = tab.run(EXCHANGES + ".map((each) => each.querySelector('summary').textContent)")
    if len(titles) != 1 or "user/list" not in titles[0]:
        return f"it shows {titles}"


def folding(tab):
    inside = SHOWN.format(".exchange tbody tr") + ".length"
    before = tab.run(inside)
    tab.run("document.querySelector('.exchange summary').focus()")
    tab.press("Enter")
    after = tab.run(inside)
    if not after < before:
        return f"Enter does not fold an exchange: {before} rows, then {after}"
    tab.press("Enter")
    if tab.run(inside) != before:
        return "Enter does not unfold it again"


def the_slash_key(tab):
    tab.press("/")
    if tab.run("document.activeElement.id") != "find":
        return "it does not lead to the search"
    tab.press("/")
    if tab.run("document.activeElement.value") != "/":
        return "it cannot be searched for"


ARTICLES = SHOWN.format("article")


def searching_the_audit(tab):
    before = tab.run(f"{ARTICLES}.length")
    tab.run("document.getElementById('find').focus()")
    tab.type("user/get client")
    texts = tab.run(ARTICLES + ".map((each) => each.textContent.toLowerCase())")
    if not 0 < len(texts) < before or not all("user/get" in text and "client" in text for text in texts):
        return f"{len(texts)} of {before} findings are shown"


def filtering_the_audit(tab):
    for name, of in (("rule", "rule"), ("operation", "operation")):
        tab.run("scrollTo(0, 0)")
        value = tab.run(f"document.getElementById('{name}').options[1].value")
        choice = f"document.getElementById('{name}')"
        tab.run(f"{choice}.value = {json.dumps(value)};"
                f" {choice}.dispatchEvent(new Event('input', {{bubbles: true}}))")
        found = tab.run(ARTICLES + f".map((each) => each.dataset.{of})")
        if not found or set(found) != {value}:
            return f"{name} {value} shows {found[:3]}"
        tab.run(f"{choice}.value = ''; {choice}.dispatchEvent(new Event('input', {{bubbles: true}}))")
