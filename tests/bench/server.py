"""Starts the stub, the proxy and the shim, loads them in turn, prints medians and ratios."""

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
LOAD_CORE, TEST_CORE = "0", "1"
TICKS = os.sysconf("SC_CLK_TCK")

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


def start(core, *command, env=None):
    process = subprocess.Popen(["taskset", "-c", core, *command], env=env,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    STARTED.append(process)
    return process


def stop_all():
    for process in STARTED:
        process.send_signal(signal.SIGTERM)
    for process in STARTED:
        process.wait(10)


def nginx(name, core, body):
    config = WORK / f"{name}.conf"
    # The worker reads the folder of this run, which is nobody else's.
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
    total = 0
    for each in family(pid):
        fields = pathlib.Path(f"/proc/{each}/stat").read_text().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def memory(pid):
    total = 0
    for each in family(pid):
        for line in pathlib.Path(f"/proc/{each}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                total += int(line.split()[1])
    return total / 1024


def load(url, body, rate, connections=16):
    command = ["taskset", "-c", LOAD_CORE, "oha", "--no-tui", "--output-format", "json", "-z",
               f"{SECONDS}s", "-c", str(connections), "-m", "POST" if body else "GET"]
    if body:
        command += ["-T", "application/x-www-form-urlencoded", "-d", body]
    if rate:
        command += ["-q", str(rate), "--latency-correction"]
    result = json.loads(subprocess.run([*command, url], capture_output=True, check=True).stdout)
    codes = result["statusCodeDistribution"]
    if set(codes) != {"200"}:
        raise SystemExit(f"{url} answered {codes} {result.get('errorDistribution')}")
    return codes["200"], result["latencyPercentiles"], result["summary"]["requestsPerSec"]


def measure(pid, url, body, rate):
    before = cpu(pid)
    requests, latency, _ = load(url, body, rate)
    spent = (cpu(pid) - before) / requests * 1e6
    _, _, saturated = load(url, body, None, 32)
    return {"cpu": spent, "p50": latency["p50"] * 1e6, "p99": latency["p99"] * 1e6,
            "saturated": saturated}


def main():
    files = WORK / "v2"
    files.mkdir()
    for name, content in {"email": {"existed_email": True}, "user": USER, "settings": SETTINGS,
                          "token": {"token": "a.b.c"}, "page": PAGE}.items():
        (files / f"{name}.json").write_text(json.dumps(content))
    stub, proxy, shim = free_port(), free_port(), free_port()
    nginx("stub", LOAD_CORE, f"""
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
    served = start(TEST_CORE, "target/release/shim", "serve", env=os.environ | {
        "SHIM_LISTEN": f"127.0.0.1:{shim}", "SHIM_API_KEY": "k", "SHIM_API_SECRET": "s",
        "SHIM_UPSTREAM_URL": f"http://127.0.0.1:{stub}/v2", "SHIM_UPSTREAM_TOKEN": "t",
        "RUST_LOG": "off"})
    for port in (stub, proxy, shim):
        wait_for(port)
    idle = memory(served.pid)
    v1 = f"http://127.0.0.1:{shim}/v1/user"
    v2 = f"http://127.0.0.1:{proxy}/v2/users"
    key = "api_key=k&api_secret=s"
    cases = {
        "user/checkemail": (f"{v2}/email?email=a", f"{v1}/checkemail", f"{key}&email=a", 1000),
        "user/get": (f"{v2}/a", f"{v1}/get", f"{key}&id=a", 500),
        "user/list 300": (f"{v2}?page_size=300", f"{v1}/list", f"{key}&page_size=300", 100),
    }
    for name, (plain, url, body, _) in cases.items():
        with urllib.request.urlopen(url, body.encode()) as answer:
            text = answer.read()
            if b'"error"' in text:
                raise SystemExit(f"{name} is answered with {text[:300]}")
    print(f"{'':18}{'':>8}{'CPU µs':>9}{'p50 µs':>9}{'p99 µs':>9}{'req/s':>9}")
    for name, (plain, url, body, rate) in cases.items():
        rounds = {"proxy": [], "shim": []}
        for _ in range(ROUNDS):
            rounds["proxy"].append(measure(proxied.pid, plain, None, rate))
            rounds["shim"].append(measure(served.pid, url, body, rate))
        median = {who: {what: statistics.median(each[what] for each in them) for what in them[0]}
                  for who, them in rounds.items()}
        for who, values in median.items():
            print(f"{name if who == 'proxy' else '':18}{who:>8}{values['cpu']:9.1f}"
                  f"{values['p50']:9.0f}{values['p99']:9.0f}{values['saturated']:9.0f}")
        ratio = median["shim"]["cpu"] / median["proxy"]["cpu"]
        added = median["shim"]["p50"] - median["proxy"]["p50"]
        added99 = median["shim"]["p99"] - median["proxy"]["p99"]
        print(f"{'':18}{'':>8} CPU {ratio:.2f} times the proxy, p50 +{added:.0f} µs, p99 +{added99:.0f} µs"
              f" at {rate}/s")
    print(f"memory: {idle:.1f} MB idle, {memory(served.pid):.1f} MB after the load")


if __name__ == "__main__":
    # Also when it is told to stop, so that nothing it started goes on.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        main()
    finally:
        stop_all()
