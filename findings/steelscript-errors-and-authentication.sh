#!/usr/bin/env bash
# steelscript 2.0.1 (Riverbed's client of its appliances' REST APIs): three of the things that its API documentation lets a server do, it
# cannot take. An error with the optional `error_info` beside `error_id` and `error_text` has no error_id for the client, so that a session that
# has ended is not logged in again, but is an AttributeError; of a server that names OAuth as documented, OAUTH2.0, it knows no OAuth; and with
# HTTP Basic, which it chooses where a server offers nothing else, it fails with a TypeError (seen on Python 3.11; it wants text where base64 of Python 3 wants bytes).
# Met where: a server that answers npm.system_update for it has to leave error_info out, name OAuth by OAUTH_2_0 too, and offer COOKIE.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check setuptools==80.9.0 steelscript==2.0.1
cat >try.py <<'PY'
import http.server, json, logging, threading, warnings
warnings.simplefilter("ignore")
from importlib.metadata import version
from steelscript.common.exceptions import RvbdException
from steelscript.common.service import APIVersion, OAuth, Service, UserAuth

logging.disable(logging.CRITICAL)
ENDED = {"error_id": "AUTH_INVALID_SESSION", "error_text": "The session has ended."}

class Appliance(http.server.BaseHTTPRequestHandler):
    methods, error, logins = [], {}, 0
    def log_message(self, *_):
        pass
    def answer(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
    def do_GET(self):
        if self.path == "/api/common/1.0/services":
            self.answer(200, [{"id": "npm.system_update", "versions": ["1.0"]}])
        elif self.path == "/api/common/1.0/auth_info":
            self.answer(200, {"supported_methods": Appliance.methods})
        elif Appliance.logins < 2:
            self.answer(401, Appliance.error)
        else:
            self.answer(200, {"state": "IDLE"})
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        Appliance.logins += 1
        self.answer(200, {"session_id": "x"})

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Appliance)
threading.Thread(target=server.serve_forever, daemon=True).start()

def tried(methods, auth, error=ENDED):
    Appliance.methods, Appliance.error, Appliance.logins = methods, error, 0
    try:
        box = Service("npm.system_update", f"http://127.0.0.1:{server.server_port}", auth=auth, versions=[APIVersion("1.0")])
        return box.conn.json_request("GET", "/api/npm.system_update/1.0/update")
    except (AttributeError, RvbdException, TypeError) as e:
        return f"{type(e).__name__}: {e}"

someone = UserAuth("admin", "secret")
print("steelscript", version("steelscript"))
print("the session has ended:", tried(["COOKIE"], someone))
print("... with error_info:", tried(["COOKIE"], someone, {**ENDED, "error_info": {}}))
print("OAUTH2.0:", tried(["OAUTH2.0"], OAuth("an access code")))
print("BASIC:", tried(["BASIC"], someone))
PY
seen=$(venv/bin/python try.py) && echo "$seen"
diff <(echo "$seen") - <<'SEEN' || { echo 'This has changed (< now, > when it was found).'; exit 1; }
steelscript 2.0.1
the session has ended: {'state': 'IDLE'}
... with error_info: AttributeError: 'RvbdHTTPException' object has no attribute 'error_id'
OAUTH2.0: RvbdException: No supported authentication methods
BASIC: TypeError: a bytes-like object is required, not 'str'
SEEN
