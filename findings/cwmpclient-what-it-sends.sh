#!/usr/bin/env bash
# CwmpClient 0.0.1b0 (a CWMP client of PyPI): its envelopes are not what TR-069's schema says. The element Envelope is in no
# namespace, though Header and Body are in SOAP's; an Inform has no cwmp:ID and no RetryCount, names the events last, has some of its
# arguments in CWMP's namespace (the schema leaves them unqualified) and others not, and tells its local time without an offset.
# Met where: an ACS that looks for {soap}Envelope, or wants every argument that the schema does, turns such a device away for ever.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check CwmpClient==0.0.1b0
cat >try.py <<'PY'
import http.server, importlib.metadata, runpy, sys, threading
import xml.etree.ElementTree as tree

informs = []

class Acs(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if body:
            informs.append(body)
        self.send_response(204)
        self.end_headers()

acs = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Acs)
threading.Thread(target=acs.serve_forever, daemon=True).start()

import CwmpClient.plugins.tr069 as plugin
given = plugin.loader

async def loader(root):
    await given(root)
    root["Device"]["ManagementServer"]["URL"] = plugin.Parameter(str, f"http://127.0.0.1:{acs.server_port}/")

plugin.loader = loader
import contextlib, io, logging
logging.disable(logging.CRITICAL)
with contextlib.redirect_stdout(io.StringIO()):
    runpy.run_module("CwmpClient", run_name="__main__")

SOAP, CWMP = "{http://schemas.xmlsoap.org/soap/envelope/}", "{urn:dslforum-org:cwmp-1-0}"
short = lambda name: name.replace(SOAP, "soap:").replace(CWMP, "cwmp:")
envelope = tree.fromstring(informs[0])
inform = envelope.find(f"{SOAP}Body/{CWMP}Inform")
print("CwmpClient", importlib.metadata.version("CwmpClient"))
print("root:", short(envelope.tag))
print("in the header:", [short(each.tag) for each in envelope.find(f"{SOAP}Header")])
print("in the Inform:", " ".join(short(each.tag) for each in inform))
time = inform.find(f"{CWMP}CurrentTime").text
print("CurrentTime has an offset:", time.endswith("Z") or "+" in time)
PY
seen=$(venv/bin/python try.py) && echo "$seen"
diff <(echo "$seen") - <<'SEEN' || { echo 'This has changed (< now, > when it was found).'; exit 1; }
CwmpClient 0.0.1b0
root: Envelope
in the header: []
in the Inform: cwmp:MaxEnvelopes cwmp:CurrentTime cwmp:DeviceId ParameterList cwmp:Event
CurrentTime has an offset: False
SEEN
