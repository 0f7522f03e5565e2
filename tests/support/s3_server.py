"""A server that speaks S3, on loopback, in a process of its own."""

import contextlib
import gc
import importlib.util
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from unittest.mock import patch

import fsspec
import httpx

__all__ = ["MISSING", "s3_bucket"]

MISSING = any(importlib.util.find_spec(name) is None for name in ("moto", "s3fs", "flask"))
START_S = 30.0


@contextlib.contextmanager
def s3_bucket(name: str) -> Iterator[str]:
    """The address of an empty bucket; the environment names its server and a key meanwhile.

    Who has spoken to the server by then finds it gone afterwards.
    """
    # Which fsspec keeps for all of a process, with the address of a server of before.
    fsspec.get_filesystem_class("s3").clear_instance_cache()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    environment = {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    command = [sys.executable, "-m", "moto.server", "--host", "127.0.0.1", "--port", str(port)]
    quiet = subprocess.DEVNULL
    with (
        subprocess.Popen(command, stdout=quiet, stderr=quiet) as process,
        patch.dict(os.environ, environment),
    ):
        try:
            _put(f"{url}/{name}")
            yield f"s3://{name}/jobs"
        finally:
            process.kill()
            # When it is collected, s3fs makes a task in whatever loop runs then: it would be found
            # there by a test that looks for what it has left.
            fsspec.get_filesystem_class("s3").clear_instance_cache()
            gc.collect()


def _put(bucket: str) -> None:
    until = time.monotonic() + START_S
    while True:
        try:
            httpx.put(bucket).raise_for_status()
        except httpx.ConnectError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
        else:
            return
