"""Starts the stub, the proxies and the shim, loads them in turn, prints medians and ratios.

Called by server.sh: FOLDER ROUNDS SECONDS SHIM MINIMAL_PROXY. What a process costs is the time that
its threads were on a core, in nanoseconds from /proc/PID/task/*/schedstat.
"""

import json
import os
import pathlib
import signal
import socket
import statistics
import subprocess
import sys
import time
import urllib.request

WORK, ROUNDS, SECONDS = pathlib.Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
SHIM, MINIMAL_PROXY = sys.argv[4], sys.argv[5]
# A core each, as far as there are some; the process under test never shares its own with others.
CORES = [str(core) for core in sorted(os.sched_getaffinity(0))]
LOAD_CORE, TEST_CORE, STUB_CORE = CORES[0], CORES[1 % len(CORES)], CORES[2 if len(CORES) > 2 else 0]
CONNECTIONS = 16
SATURATING = 64
MANY = 256
# Limits of the shim's CPU time at saturation, as multiples of the minimal proxy's.
TARGETS = {"user/checkemail": 1.5, "user/list 300": 3}
STARTS = 11

USER = {
    "id": "WWveLh6WgYg1NR14Nvw_Qo", "email": "ada.lovelace@example.com", "first_name": "Ada",
    "last_name": "Lovelace", "type": 2, "pmi": 8480616537, "timezone": "Europe/London",
    "verified": 1, "dept": "Analytical Engines", "created_at": "2019-03-04T08:30:00Z",
    "user_created_at": "2019-03-04T08:30:00Z", "last_login_time": "2026-01-12T07:00:00Z",
    "last_client_version": "6.2.5.47095(win)", "language": "en-US", "status": "active",
    "role_id": "2", "group_ids": ["t-_-d56CSWG-7BF15LLrOw"], "login_types": [100],
    "account_id": "account", "vanity_url": "https://zoom.example.com/my/ada",
}
SETTINGS = {
    "in_meeting": {name: True for name in (
        "chat private_chat e2e_encryption attendee_on_hold group_hd feedback breakout_room polling "
        "annotation share_dual_camera far_end_camera_control remote_support file_transfer "
        "virtual_background waiting_room closed_caption co_host auto_saving_chat").split()}
    | {"entry_exit_chime": "all"},
    "recording": {"auto_recording": "local", "local_recording": True, "cloud_recording": True,
                  "record_speaker_view": True, "record_gallery_view": True,
                  "record_audio_file": True, "auto_delete_cmr": True, "auto_delete_cmr_days": 60},
    "feature": {"meeting_capacity": 300, "webinar": True, "webinar_capacity": 500},
    "email_notification": {"jbh_reminder": True, "cancel_meeting_reminder": True},
    "schedule_meeting": {"pstn_password_protected": True},
}
PAGE = {"page_count": 4, "page_number": 1, "page_size": 300, "total_records": 1000,
        "next_page_token": "", "users": [USER | {"id": f"user{n:018}"} for n in range(300)]}

STUB = """
worker_processes 1; daemon off; pid {work}/{name}.pid; error_log /dev/null;
events {{ worker_connections 4096; }}
http {{
  access_log off; default_type application/json; keepalive_requests 100000000;
  client_body_temp_path {work}/b; proxy_temp_path {work}/p; fastcgi_temp_path {work}/f;
  uwsgi_temp_path {work}/u; scgi_temp_path {work}/s;
  {body}
}}
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


STARTED = []


def start(core, *command, env=None, log=subprocess.DEVNULL):
    process = subprocess.Popen(["taskset", "-c", core, *command], env=env,
                               stdout=subprocess.DEVNULL, stderr=log)
    STARTED.append(process)
    return process


def stop_all():
    for process in STARTED:
        process.send_signal(signal.SIGTERM)
    for process in STARTED:
        process.wait(10)


def nginx(name, core, body):
    config = WORK / f"{name}.conf"
    # The worker reads the folder of this run, which only its owner may read.
    user = "user root;" if os.geteuid() == 0 else ""
    config.write_text(user + STUB.format(work=WORK, name=name, body=body))
    return start(core, "nginx", "-p", str(WORK), "-c", str(config))


def wait_for(port):
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 0.2).close()
            return
        except OSError:
            continue
    raise SystemExit(f"nothing listens on port {port}")


def family(pid):
    """The process and its children: nginx works in a child."""
    children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(each for child in children for each in family(int(child)))]


def cpu(pid):
    """Microseconds that the process was on a core so far."""
    tasks = (task for each in family(pid) for task in pathlib.Path(f"/proc/{each}/task").iterdir())
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e3


def memory(pid, what="VmRSS"):
    """Megabytes that the process has in memory, or with VmHWM had at most."""
    total = 0
    for each in family(pid):
        for line in pathlib.Path(f"/proc/{each}/status").read_text().splitlines():
            if line.startswith(what):
                total += int(line.split()[1])
    return total / 1024


def load(url, body, rate, connections=CONNECTIONS):
    """Requests answered, latencies in seconds, requests per second. With a rate the load is an open
    loop: a late answer delays no request in the count of its latency."""
    command = ["taskset", "-c", LOAD_CORE, "oha", "--no-tui", "--output-format", "json", "-z",
               f"{SECONDS}s", "-c", str(connections), "-m", "POST" if body else "GET"]
    if body:
        command += ["-T", "application/x-www-form-urlencoded", "-d", body]
    if rate:
        command += ["-q", str(rate), "--latency-correction"]
    ran = subprocess.run([*command, url], capture_output=True, check=True, timeout=SECONDS + 60)
    result = json.loads(ran.stdout)
    codes = result["statusCodeDistribution"]
    if set(codes) != {"200"}:
        raise SystemExit(f"{url} answered {codes} {result.get('errorDistribution')}")
    return codes["200"], result["latencyPercentiles"], result["summary"]["requestsPerSec"]


def measure(pid, url, body, rate):
    before = cpu(pid)
    requests, latency, _ = load(url, body, rate)
    at_rate = cpu(pid)
    saturating, _, saturated = load(url, body, None, SATURATING)
    return {"cpu": (at_rate - before) / requests, "p50": latency["p50"] * 1e6,
            "p99": latency["p99"] * 1e6, "saturated cpu": (cpu(pid) - at_rate) / saturating,
            "saturated": saturated}


def median(rounds):
    return {what: statistics.median(each[what] for each in rounds) for what in rounds[0]}


def met(value, target):
    return f"{value:.2f} (target {target}: {'met' if value <= target else 'MISSED'})"


def ask(url, body):
    with urllib.request.urlopen(url, body.encode(), timeout=10) as answer:
        return answer.read()


def first_answer(environment, listen, body):
    """Milliseconds from exec to the first answer of a v2 that is there."""
    begun = time.monotonic()
    process = start(TEST_CORE, SHIM, "serve", env=environment | {"SHIM_LISTEN": listen})
    deadline = begun + 20
    while time.monotonic() < deadline:
        try:
            ask(f"http://{listen}/v1/user/checkemail", body)
            break
        except OSError:
            time.sleep(0.0005)
    took = (time.monotonic() - begun) * 1e3
    process.send_signal(signal.SIGTERM)
    process.wait(10)
    STARTED.remove(process)
    return took


def main():
    files = WORK / "v2"
    files.mkdir()
    for name, content in {"email": {"existed_email": True}, "user": USER, "settings": SETTINGS,
                          "token": {"token": "a.b.c"}, "page": PAGE}.items():
        (files / f"{name}.json").write_text(json.dumps(content))
    stub, proxy, minimal, shim = (free_port() for _ in range(4))
    nginx("stub", STUB_CORE, f"""
      open_file_cache max=100;
      server {{ listen 127.0.0.1:{stub}; root {files};
        location = /v2/users {{ try_files /page.json =404; }}
        location = /v2/users/email {{ try_files /email.json =404; }}
        location ~ ^/v2/users/[^/]+$ {{ try_files /user.json =404; }}
        location ~ /settings$ {{ try_files /settings.json =404; }}
        location ~ /token$ {{ try_files /token.json =404; }} }}""")
    proxied = nginx("proxy", TEST_CORE, f"""
      upstream v2 {{ server 127.0.0.1:{stub}; keepalive 64; keepalive_requests 100000000; }}
      server {{ listen 127.0.0.1:{proxy};
        location / {{ proxy_pass http://v2; proxy_http_version 1.1;
          proxy_set_header Connection ""; proxy_buffers 64 16k; }} }}""")
    minimally = start(TEST_CORE, MINIMAL_PROXY, f"127.0.0.1:{minimal}", f"127.0.0.1:{stub}")
    environment = os.environ | {
        "SHIM_API_KEY": "k", "SHIM_API_SECRET": "s", "SHIM_UPSTREAM_TOKEN": "t",
        "SHIM_UPSTREAM_URL": f"http://127.0.0.1:{stub}/v2", "SHIM_OPS_LISTEN": "off",
        "RUST_LOG": os.environ.get("BENCH_LOG", "info")}
    with open(WORK / "shim.log", "wb") as log:
        served = start(TEST_CORE, SHIM, "serve", log=log,
                       env=environment | {"SHIM_LISTEN": f"127.0.0.1:{shim}"})
    for port in (stub, proxy, minimal, shim):
        wait_for(port)
    v1 = f"http://127.0.0.1:{shim}/v1/user"
    direct = f"http://127.0.0.1:{stub}/v2/users"
    key = "api_key=k&api_secret=s"
    cases = {
        "user/checkemail": ("/email?email=a", f"{v1}/checkemail", f"{key}&email=a", 1000),
        "user/get": (f"/{USER['id']}", f"{v1}/get", f"{key}&id={USER['id']}", 500),
        "user/list 300": ("?page_size=300", f"{v1}/list", f"{key}&page_size=300", 200),
    }
    for name, (_, url, body, _) in cases.items():
        text = ask(url, body)
        if b'"error"' in text:
            raise SystemExit(f"{name} is answered with {text[:300]}")
    idle = memory(served.pid)

    print(f"{ROUNDS} rounds of {SECONDS} s, medians; cores: load {LOAD_CORE}, stub of v2 {STUB_CORE},"
          f" under test {TEST_CORE}")
    print(f"{'':18}{'':>8}   {CONNECTIONS} connections, fixed rate"
          f"   {SATURATING} connections, saturated")
    print(f"{'':18}{'':>8}{'CPU µs':>9}{'p50 µs':>9}{'p99 µs':>9}{'CPU µs':>12}{'req/s':>9}")
    for name, (path, url, body, rate) in cases.items():
        under_test = {
            "nginx": (proxied.pid, f"http://127.0.0.1:{proxy}/v2/users{path}", None),
            "minimal": (minimally.pid, f"http://127.0.0.1:{minimal}/v2/users{path}", None),
            "shim": (served.pid, url, body),
        }
        rounds = {who: [] for who in under_test}
        for _ in range(ROUNDS):
            for who, (pid, address, sent) in under_test.items():
                rounds[who].append(measure(pid, address, sent, rate))
        of = {who: median(them) for who, them in rounds.items()}
        for who, values in of.items():
            print(f"{name if who == 'nginx' else '':18}{who:>8}{values['cpu']:9.1f}"
                  f"{values['p50']:9.0f}{values['p99']:9.0f}{values['saturated cpu']:12.1f}"
                  f"{values['saturated']:9.0f}")
        for peer in ("nginx", "minimal"):
            # Of each round, not of the medians: what disturbed a round disturbed all of it.
            pairs = list(zip(rounds["shim"], rounds[peer]))
            at_rate, saturated = (
                statistics.median(ours[what] / theirs[what] for ours, theirs in pairs)
                for what in ("cpu", "saturated cpu"))
            target = TARGETS.get(name) if peer == "minimal" else None
            saturated = met(saturated, target) if target else f"{saturated:.2f}"
            print(f"{'':18}{'':>8} CPU: {at_rate:.2f} times that of {peer} at {rate}/s,"
                  f" saturated {saturated}")
        slower = {what: of["shim"][what] - of["nginx"][what] for what in ("p50", "p99")}
        print(f"{'':18}{'':>8} over nginx at {rate}/s: p50 +{slower['p50']:.0f} µs,"
              f" p99 +{slower['p99']:.0f} µs")
        if name == "user/checkemail":
            print(f"{'':18}{'':>8} targets: p50 +150 µs, p99 +1000 µs")
        if name == "user/get":
            calls = [load(f"{direct}/{USER['id']}{part}", None, rate)[1]["p50"] * 1e6
                     for part in ("", "/settings", "/token?type=zak")]
            most = 1.15 * max(calls) + 1000
            print(f"{'':18}{'':>8} p50 {of['shim']['p50']:.0f} µs of three calls at a time, the"
                  f" slowest {max(calls):.0f} µs (target {most:.0f} µs:"
                  f" {'met' if of['shim']['p50'] <= most else 'MISSED'})")

    url, body = cases["user/get"][1:3]
    load(url, body, None, MANY)
    crowd = memory(served.pid, "VmHWM")
    starts = [first_answer(environment, f"127.0.0.1:{free_port()}", f"{key}&email=a")
              for _ in range(STARTS)]
    size = os.stat(SHIM).st_size / 1e6
    print(f"memory, MB: idle {met(idle, 20)}; at most, with {MANY} connections {met(crowd, 64)}")
    print(f"start to first answer, ms: {met(statistics.median(starts), 30)}; "
          f"stripped binary, MB: {met(size, 15)}")


if __name__ == "__main__":
    # Also on SIGTERM, so that no child process remains.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        main()
    finally:
        stop_all()
