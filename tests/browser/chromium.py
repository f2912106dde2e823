"""A headless Chromium and its tabs, driven through the DevTools protocol over a pipe."""

import base64
import json
import os
import shlex
import subprocess
import tempfile
import time


class Chromium:
    def __init__(self, binary):
        self.home = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        to_read, self.write_end = os.pipe()
        self.read_end, to_write = os.pipe()
        command = [
            binary, "--headless", "--remote-debugging-pipe", f"--user-data-dir={self.home.name}",
            "--no-first-run", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--force-color-profile=srgb",
        ]
        if os.geteuid() == 0:
            command.append("--no-sandbox")
        # The browser reads from its descriptor 3 and writes to its descriptor 4.
        wired = f"exec {shlex.join(command)} 3<&{to_read} 4>&{to_write}"
        self.process = subprocess.Popen(["bash", "-c", wired], pass_fds=(to_read, to_write),
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_read)
        os.close(to_write)
        self.number = 0
        self.unread = b""
        self.events = []

    def close(self):
        os.close(self.write_end)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.home.cleanup()

    def call(self, method, session=None, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.write_end, data):]
        while True:
            answer = self.read()
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]
            self.events.append(answer)

    def read(self):
        while b"\0" not in self.unread:
            data = os.read(self.read_end, 1 << 16)
            if not data:
                raise RuntimeError("Chromium has ended")
            self.unread += data
        message, self.unread = self.unread.split(b"\0", 1)
        return json.loads(message)

    def tab(self):
        return Tab(self)


class Tab:
    """One page, with all that it has complained about and asked for."""

    def __init__(self, browser):
        self.browser = browser
        self.target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = browser.call("Target.attachToTarget", targetId=self.target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def close(self):
        self.browser.call("Target.closeTarget", targetId=self.target)

    def call(self, method, **parameters):
        return self.browser.call(method, session=self.session, **parameters)

    def look(self, width, height=900, scheme="light", media="screen"):
        """How the page is shown from now on."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=1, mobile=width < 600)
        self.call("Emulation.setEmulatedMedia", media=media,
                  features=[{"name": "prefers-color-scheme", "value": scheme}])

    def open(self, url):
        self.browser.events.clear()
        self.call("Page.navigate", url=url)
        self.wait("Page.loadEventFired")

    def wait(self, event):
        while not any(each.get("method") == event for each in self.browser.events):
            self.browser.events.append(self.browser.read())

    def seen(self, method):
        """The events of this kind since the page was opened."""
        self.run("0")  # what is on its way has come then
        return [each["params"] for each in self.browser.events
                if each.get("method") == method and each.get("sessionId") == self.session]

    def run(self, script):
        """The value of a JavaScript expression."""
        result = self.call("Runtime.evaluate", expression=script, returnByValue=True,
                           awaitPromise=True)
        if "exceptionDetails" in result:
            raise RuntimeError(f"{script[:80]}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def until(self, script, seconds=20):
        """Whether a JavaScript expression becomes true in time."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.run(script):
                return True
            time.sleep(0.05)
        return False

    def press(self, key, text=""):
        codes = {"Tab": 9, "Enter": 13, "Escape": 27, " ": 32}
        code = codes.get(key, ord(key[0]) if len(key) == 1 else 0)
        text = text or {"Enter": "\r", " ": " "}.get(key, key if len(key) == 1 else "")
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=code,
                      **({"text": text} if text and kind == "keyDown" else {}))

    def type(self, text):
        self.call("Input.insertText", text=text)

    def screenshot(self, path):
        size = self.run("[document.documentElement.clientWidth,"
                        " Math.min(document.documentElement.scrollHeight, 4000)]")
        clip = {"x": 0, "y": 0, "width": size[0], "height": size[1], "scale": 1}
        data = self.call("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)["data"]
        path.write_bytes(base64.b64decode(data))

    def paper(self, path=None):
        """Prints; gives the PDF."""
        data = base64.b64decode(self.call("Page.printToPDF", printBackground=False,
                                          preferCSSPageSize=True)["data"])
        if path:
            path.write_bytes(data)
        return data
