#!/usr/bin/env bash
# GNU Wget 1.21.3 (Debian 12's package): it knows no SHA-256, and answers a Digest challenge of it by MD5 all the same, with that challenge's nonce and
# without naming an algorithm. Of several challenges of Digest it takes the last that it is offered, so that it answers well where MD5 is last,
# and not where MD5 is first, as other clients need it; a server that gives all of them one nonce is answered well in either order.
# Expected: a challenge whose algorithm a client does not know is passed over (RFC 7616, 3.3), and the first that it knows is answered (3.7).
# Met where: firmware and configuration are fetched with wget, by CPEs or from scripts, from a server that offers SHA-256 and MD5.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
chmod 755 "$dir"
apt-get download -qq wget=1.21.3-1+deb12u1 2>/dev/null
dpkg-deb -x wget_*.deb .
cat >try.py <<'PY'
import http.server, re, subprocess, threading
from hashlib import md5

def hashed(*parts):
    return md5(":".join(parts).encode()).hexdigest()

def digest(algorithm, nonce):
    return f'Digest realm="files", qop="auth", nonce="{nonce}", algorithm={algorithm}'

offers = {
    "MD5": [("MD5", "one")],
    "SHA-256": [("SHA-256", "one")],
    "SHA-256, MD5": [("SHA-256", "one"), ("MD5", "two")],
    "MD5, SHA-256": [("MD5", "one"), ("SHA-256", "two")],
}
offered, answers = [], []

class Files(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *_):
        pass
    def do_GET(self):
        answer = self.headers.get("Authorization")
        if answer:
            answers.append(answer)
        self.send_response(200 if answer else 401)
        for offer in [] if answer else offered:
            self.send_header("WWW-Authenticate", digest(*offer))
        self.send_header("Content-Length", "0")
        self.end_headers()

def told(answer):
    field = lambda name: (re.search(rf'\b{name}="?([^",]+)', answer) or [None, None])[1]
    secret, request = hashed("user", "files", "secret"), hashed("GET", "/")
    expected = hashed(secret, field("nonce"), field("nc"), field("cnonce"), "auth", request)
    how = "MD5" if field("response") == expected else "another hash"
    return f"nonce {field('nonce')}, computed with {how}, algorithm {field('algorithm') or 'not named'}"

files = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Files)
threading.Thread(target=files.serve_forever, daemon=True).start()
wget = "usr/bin/wget"
print(subprocess.run([wget, "--version"], capture_output=True, text=True).stdout.split(" built")[0])
for what, offer in offers.items():
    offered[:], answers[:] = offer, []
    url = f"http://127.0.0.1:{files.server_port}/"
    subprocess.run([wget, "--quiet", "--no-config", "--no-proxy", "--output-document=-", "--tries=1", "--user=user", "--password=secret", url])
    print(f"{what}: {told(answers[0]) if answers else 'not answered'}")
PY
seen=$(python3 try.py) && echo "$seen"
diff <(echo "$seen") - <<'SEEN' || { echo 'This has changed (< now, > when it was found).'; exit 1; }
GNU Wget 1.21.3
MD5: nonce one, computed with MD5, algorithm MD5
SHA-256: nonce one, computed with MD5, algorithm not named
SHA-256, MD5: nonce two, computed with MD5, algorithm MD5
MD5, SHA-256: nonce two, computed with MD5, algorithm not named
SEEN
