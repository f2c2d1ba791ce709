#!/usr/bin/env bash
# requests 2.34.2, httpx 0.28.1, aiohttp 3.13.2: three of the clients that scripts send TR-069 connection requests with, before devices that
# offer several Digest challenges in headers of their own (RFC 7616, 3.7: a client takes the first that it can). requests looks at the last only,
# the others at the first only; who cannot do that one does not go on to one that it can. Offered a device's `qop="auth-int"`, or an
# empty qop, each does something else.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check requests==2.34.2 httpx==0.28.1 aiohttp==3.13.2
cat >try.py <<'PY'
import asyncio, http.server, re, threading
import aiohttp, httpx, requests
from requests.auth import HTTPDigestAuth

def digest(algorithm, qop="auth"):
    return f'Digest realm="device", nonce="of {algorithm}", algorithm={algorithm}, qop="{qop}"'

offers = {
    "MD5, SHA-512-256": [digest("MD5"), digest("SHA-512-256")],
    "SHA-512-256, MD5": [digest("SHA-512-256"), digest("MD5")],
    "Basic, MD5": ['Basic realm="device"', digest("MD5")],
    "MD5 with auth-int": [digest("MD5", "auth-int")],
    "MD5 with empty qop": [digest("MD5", "")],
}
offered, answered = [], []

class Device(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *_):
        pass
    def do_GET(self):
        answer = self.headers.get("Authorization") or ""
        if answer.startswith("Digest"):
            answered.append(re.search('nonce="of ([^"]+)"', answer)[1])
        self.send_response(200 if answered else 401)
        for challenge in [] if answered else offered:
            self.send_header("WWW-Authenticate", challenge)
        self.send_header("Content-Length", "0")
        self.end_headers()

device = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Device)
threading.Thread(target=device.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{device.server_port}/"

async def by_aiohttp():
    async with aiohttp.ClientSession(middlewares=(aiohttp.DigestAuthMiddleware("user", "secret"),)) as client:
        async with client.get(url):
            pass

clients = {
    "requests": lambda: requests.get(url, auth=HTTPDigestAuth("user", "secret")),
    "httpx": lambda: httpx.get(url, auth=httpx.DigestAuth("user", "secret")),
    "aiohttp": lambda: asyncio.run(by_aiohttp()),
}
print("requests", requests.__version__, "httpx", httpx.__version__, "aiohttp", aiohttp.__version__)
for offer, challenges in offers.items():
    for name, call in clients.items():
        offered[:], answered[:] = challenges, []
        raised = ""
        try:
            call()
        except Exception as error:
            raised = f", {type(error).__name__}"
        print(f"{offer}: {name}: {answered[0] if answered else 'not answered' + raised}")
PY
seen=$(venv/bin/python try.py) && echo "$seen"
diff <(echo "$seen") - <<'SEEN' || { echo 'This has changed (< now, > when it was found).'; exit 1; }
requests 2.34.2 httpx 0.28.1 aiohttp 3.13.2
MD5, SHA-512-256: requests: not answered
MD5, SHA-512-256: httpx: MD5
MD5, SHA-512-256: aiohttp: MD5
SHA-512-256, MD5: requests: MD5
SHA-512-256, MD5: httpx: not answered, KeyError
SHA-512-256, MD5: aiohttp: not answered, ClientError
Basic, MD5: requests: MD5
Basic, MD5: httpx: MD5
Basic, MD5: aiohttp: not answered
MD5 with auth-int: requests: not answered
MD5 with auth-int: httpx: not answered, NotImplementedError
MD5 with auth-int: aiohttp: MD5
MD5 with empty qop: requests: MD5
MD5 with empty qop: httpx: not answered, ProtocolError
MD5 with empty qop: aiohttp: MD5
SEEN
