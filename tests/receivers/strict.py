"""Receives notifications with a strict form parser; content must be JSON text."""

import json
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qsl


def understood(body):
    pairs = parse_qsl(body, strict_parsing=True)
    form = dict(pairs)
    if "content" in form:
        content = json.loads(form["content"])
        return {"type": form["type"], "uuid": content["uuid"], "host_id": content["host_id"]}
    return {"status": form["status"], "uuid": form["uuid"], "id": form["id"]}


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode("ascii")
        try:
            event, status = understood(body), 200
        except (KeyError, ValueError) as error:
            event, status = {"error": repr(error)}, 400
        event.update(body=body, content_type=self.headers["Content-Type"],
                     authorization=self.headers["Authorization"], path=self.path)
        print(json.dumps(event), flush=True)
        self.send_response(status)
        self.end_headers()

    def log_message(self, *_):
        pass


server = HTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver)
print(server.server_port, flush=True)
server.serve_forever()
