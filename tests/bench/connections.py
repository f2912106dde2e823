"""5,000 idle keep-alive connections and 500 slow senders, and a fast client beside them.

Usage: connections.py SHIM [IDLE SLOW]

Prints the fast client's median and worst time without and with the others, and the memory of the
shim. Everything is on 127.0.0.1 and ends with the script.
"""

import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time

FORM = b"api_key=sandbox-key&api_secret=sandbox-secret&email=ada.lovelace@example.com"
HEAD = (
    b"POST /v1/user/checkemail HTTP/1.1\r\nHost: shim\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n" % len(FORM)
)
ASKED = 500


def connect(address):
    return socket.create_connection(address, timeout=30)


def ask(connection):
    connection.sendall(HEAD + FORM)
    answer = b""
    while b"existed_email" not in answer:
        read = connection.recv(4096)
        assert read, answer
        answer += read


def fast_client(address):
    times = []
    with connect(address) as connection:
        for _ in range(ASKED):
            begun = time.perf_counter()
            ask(connection)
            times.append(1000 * (time.perf_counter() - begun))
    return f"median {statistics.median(times):.2f} ms, worst {max(times):.2f} ms"


def memory(pid, name):
    with open(f"/proc/{pid}/status", encoding="utf-8") as status:
        line = next(line for line in status if line.startswith(name))
    return int(line.split()[1]) / 1024


def main():
    shim, idle, slow = sys.argv[1], 5000, 500
    if len(sys.argv) == 4:
        idle, slow = int(sys.argv[2]), int(sys.argv[3])
    needed = idle + slow + 200
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(needed, hard), hard))

    with tempfile.NamedTemporaryFile("w", suffix=".toml") as config:
        # Time enough for the slow ones to be slow all the while.
        config.write(f"[limits]\nconnections = {needed}\nheader_seconds = 600\nbody_seconds = 600\n")
        config.flush()
        arguments = ["serve", "--sandbox", "--listen", "127.0.0.1:0", "--config", config.name]
        process = subprocess.Popen(
            [shim, *arguments, "--ops-listen", "off"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        try:
            banner = process.stdout.readline()
            url = next(word for word in banner.split() if word.startswith("http://"))
            host, port = url.removeprefix("http://").removesuffix("/v1").split(":")
            run((host, int(port)), process.pid, idle, slow)
        finally:
            process.terminate()
            process.wait(30)


def run(address, pid, idle, slow):
    print(f"alone                     {fast_client(address)}, {memory(pid, 'VmRSS'):.0f} MiB")
    held = []
    for _ in range(idle):
        connection = connect(address)
        ask(connection)
        held.append(connection)
    senders = []
    for at in range(slow):
        connection = connect(address)
        # Half of them are slow with the headers, half with the body.
        connection.sendall(HEAD[:40] if at % 2 else HEAD + FORM[:5])
        senders.append(connection)
    beside = fast_client(address)
    print(f"beside {idle} idle, {slow} slow  {beside}, {memory(pid, 'VmRSS'):.0f} MiB")
    # Those that waited are served like any other.
    for at, connection in enumerate(senders):
        connection.sendall(HEAD[40:] + FORM if at % 2 else FORM[5:])
    for connection in senders:
        answer = connection.recv(4096)
        assert answer.startswith(b"HTTP/1.1 200"), answer
    for connection in held[:100]:
        ask(connection)
    print(f"all of them answered      {memory(pid, 'VmHWM'):.0f} MiB at most")


main()
