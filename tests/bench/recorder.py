"""Loads a shim that records and one that does not in turn, prints medians, their ratio, what a
request and a record cost in CPU time, and how much was kept."""

import json
import os
import pathlib
import re
import signal
import socket
import statistics
import subprocess
import sys
import time
import urllib.request

WORK, ROUNDS, SECONDS = pathlib.Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
BODY = "api_key=sandbox-key&api_secret=sandbox-secret&email=ada.lovelace@example.com&login_type=100"
STARTED = []


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Shim:
    def __init__(self, *more):
        self.port, self.ops = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}/v1/user/getbyemail"
        self.process = subprocess.Popen(
            [os.environ["SHIM"], "serve", "--sandbox", "--listen", f"127.0.0.1:{self.port}",
             "--ops-listen", f"127.0.0.1:{self.ops}", *more],
            env=os.environ | {"RUST_LOG": "off"},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        STARTED.append(self.process)

    def wait(self):
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(self.url, BODY.encode()) as answer:
                    if b'"error"' in answer.read():
                        raise SystemExit("the sandbox answers with an error")
                    return
            except OSError:
                continue
        raise SystemExit(f"nothing listens on port {self.port}")

    def cpu(self):
        """CPU seconds of the threads that serve, and of the one that records."""
        spent = {False: 0.0, True: 0.0}
        for task in pathlib.Path(f"/proc/{self.process.pid}/task").iterdir():
            # Ticks would not do: who rests by the clock is seldom there when one is counted.
            nanoseconds = int((task / "schedstat").read_text().split()[0])
            spent[(task / "comm").read_text() == "recorder\n"] += nanoseconds / 1e9
        return spent[False], spent[True]

    def kept(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.ops}/metrics") as answer:
            text = answer.read().decode()
        found = dict(re.findall(r'shim_recorded_exchanges_total\{outcome="(\w+)"\} (\d+)', text))
        return int(found.get("written", 0)), int(found.get("dropped", 0))


def load(shim, rate=None, connections=32):
    command = ["oha", "--no-tui", "--output-format", "json", "-z", f"{SECONDS}s",
               "-c", str(connections), "-m", "POST", "-T", "application/x-www-form-urlencoded",
               "-d", BODY] + (["-q", str(rate), "--latency-correction"] if rate else [])
    serving, recording = shim.cpu()
    written, dropped = shim.kept()
    result = json.loads(subprocess.run([*command, shim.url], capture_output=True, check=True).stdout)
    codes = result["statusCodeDistribution"]
    if set(codes) != {"200"}:
        raise SystemExit(f"{shim.url} answered {codes} {result.get('errorDistribution')}")
    time.sleep(0.2)  # what waits is written
    after, after_recording = shim.cpu()
    after_written, after_dropped = shim.kept()
    return {
        "rate": result["summary"]["requestsPerSec"],
        "p50": result["latencyPercentiles"]["p50"] * 1e6,
        "p99": result["latencyPercentiles"]["p99"] * 1e6,
        "serving": (after - serving) / codes["200"] * 1e6,
        "written": after_written - written,
        "dropped": after_dropped - dropped,
        "recording": after_recording - recording,
    }


def row(name, rounds):
    median = {what: statistics.median(each[what] for each in rounds) for what in rounds[0]}
    written, dropped = (sum(each[what] for each in rounds) for what in ("written", "dropped"))
    kept = f"{100 * written / (written + dropped):6.1f} %" if written else ""
    cost = f"{sum(each['recording'] for each in rounds) / written * 1e6:8.1f}" if written else ""
    print(f"{name:24}{median['rate']:9.0f}{median['p50']:9.0f}{median['p99']:9.0f}"
          f"{median['serving']:12.1f}{cost:>12}{kept:>10}")
    return median


def main():
    off, on = Shim(), Shim("--record", str(WORK / "recorded.jsonl"))
    for shim in (off, on):
        shim.wait()
    print(f"{'':24}{'req/s':>9}{'p50 µs':>9}{'p99 µs':>9}{'µs/request':>12}{'µs/record':>12}"
          f"{'kept':>10}")
    for name, rate in (("saturated", None), ("a third of that", 0)):
        rounds = {off: [], on: []}
        ratios = []
        if rate == 0:
            rate = int(saturated / 3)
        for number in range(ROUNDS):
            for shim in (off, on) if number % 2 else (on, off):
                rounds[shim].append(load(shim, rate))
            ratios.append(rounds[on][-1]["rate"] / rounds[off][-1]["rate"])
        saturated = row(f"{name}, off", rounds[off])["rate"]
        row(f"{name}, on", rounds[on])
        if not rate:
            print(f"{'':24}throughput on / off: median {statistics.median(ratios):.3f}, "
                  f"from {min(ratios):.3f} to {max(ratios):.3f}")


if __name__ == "__main__":
    # Also on SIGTERM, so that no child process remains.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        main()
    finally:
        for process in STARTED:
            process.send_signal(signal.SIGTERM)
        for process in STARTED:
            process.wait(10)
