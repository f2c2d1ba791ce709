"""What schemathesis has to know beside the document: who asks, and two forms of texts that no JSON Schema tells."""

import json
import os
import urllib.parse
import urllib.request

import schemathesis
from hypothesis import strategies as st

# Regular expressions of RE2 that mean some ids and not all of them.
LITERAL = st.text(alphabet="ABCXYZabcxyz0189_-", min_size=1, max_size=12)
schemathesis.openapi.format(
    "re2",
    st.one_of(
        LITERAL,
        st.builds("|".join, st.lists(LITERAL, min_size=2, max_size=4)),
        st.builds("{}.*".format, LITERAL),
        st.builds("{}[0-9]{{1,3}}".format, LITERAL),
        st.builds("(?i){}".format, LITERAL),
    ),
)

# One that there is, mostly.
schemathesis.openapi.format("device", st.sampled_from(os.environ["FERRY_DEVICES"].split() * 4 + ["00A1B2-HGW-none"]))

PART = st.text(alphabet="ABCXYZabcxyz0189_.", min_size=1, max_size=16)
schemathesis.openapi.format("cpeid", st.builds("-".join, st.tuples(PART, PART, PART)))


@schemathesis.auth(refresh_interval=None)
class Admin:
    """An admin, asked for anew before each request: what is tried takes tokens and sessions away, and users."""

    def get(self, case, context):
        query = urllib.parse.urlencode({"path": case.formatted_path})
        with urllib.request.urlopen(f"{os.environ['FERRY_CREDENTIALS']}?{query}") as answer:
            return json.load(answer)

    def set(self, case, data, context):
        case.headers.update(data["headers"])
        case.cookies.update(data["cookies"])
