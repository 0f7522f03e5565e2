"""Loaded by schemathesis: what a recording looks like, which no schema can say."""

import schemathesis
from hypothesis import strategies as st

from tests.support.uploads import wav

RECORDINGS = st.one_of(st.sampled_from([wav(), wav(0.1), wav(0), b""]), st.binary(max_size=500))

schemathesis.openapi.media_type("application/octet-stream", RECORDINGS)
schemathesis.openapi.format("binary", RECORDINGS)
