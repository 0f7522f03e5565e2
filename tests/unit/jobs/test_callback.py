"""Who is called back, and who never."""

import asyncio
import base64
import contextlib
import hashlib
import hmac
import json
import socket
import ssl
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.certificates import self_signed
from tests.support.job_queues import NOW, Backend, backend_of, new_job
from wyoming_stt.errors import BadRequestError
from wyoming_stt.jobs.callback import CallbackGuard, _trusted
from wyoming_stt.jobs.caller import Caller
from wyoming_stt.jobs.job import OWES_CALLBACK, Callback
from wyoming_stt.jobs.options import JobsOptions
from wyoming_stt.jobs.store import JobStore

SECRET = "whsec_" + base64.b64encode(b"between the two of us").decode()

PRIVATE = (
    "http://127.0.0.1/",
    "http://localhost:8123/",
    "http://[::1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://10.0.0.7/",
    "http://192.168.1.5:8123/api/webhook/x",
    "http://169.254.169.254/latest/meta-data/",
    "http://172.30.32.2/",
    "http://[fe80::1]/",
    "http://[fd00::1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[2002:7f00:1::]/",
    "http://0.0.0.0/",
    "http://224.0.0.1/",
    "http://100.64.0.1/",
    "http://2130706433/",
    "http://0x7f.1/",
)
NO_ADDRESSES = (
    "",
    "/done",
    "file:///etc/passwd",
    "gopher://example.com/",
    "http://",
    "http://example.com:99999/",
    "http://example.com/\r\nHost: evil",
    "http://user:password@93.184.216.34/",
    "http://93.184.216.34/" + "a" * 2_000,
    "http://[::1",
)


@pytest.mark.parametrize("url", PRIVATE)
async def test_nobody_at_home_is_called(url: str) -> None:
    with pytest.raises(BadRequestError, match="private network"):
        await CallbackGuard(()).check(url)


@pytest.mark.parametrize("url", NO_ADDRESSES)
async def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(BadRequestError, match="callback_url"):
        await CallbackGuard(("example.com",)).check(url)


async def test_public_addresses_and_named_hosts_may_be_called() -> None:
    target = await CallbackGuard(()).check("https://93.184.216.34/done?x=1")
    assert (target.address, target.port) == ("93.184.216.34", 443)
    target = await CallbackGuard(("LocalHost",)).check("http://localhost:81/")
    assert target.port == 81


class Client:
    """Somebody who wants to be called."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.heard: list[tuple[dict[str, str], bytes]] = []

    @asynccontextmanager
    async def listening(self, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
        server = await asyncio.start_server(self._answer, "127.0.0.1", 0, ssl=tls)
        scheme = "https" if tls else "http"
        async with server:
            yield f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}/done"

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        lines = [line.partition(": ") for line in head.split("\r\n")[1:] if line]
        headers = {name.lower(): value for name, _, value in lines}
        body = await reader.readexactly(int(headers["content-length"]))
        self.heard.append((headers, body))
        status = self.statuses.pop(0)
        writer.write(
            f"HTTP/1.1 {status} X\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n".encode()
        )
        await writer.drain()
        writer.close()


@pytest.fixture
def backend(tmp_path: Path) -> Backend:
    with backend_of("sqlite", tmp_path) as backend:
        return backend


OPTIONS = JobsOptions(callback_secret=SECRET, callback_hosts=("127.0.0.1",), callback_tries=3)


async def test_it_is_called_until_it_has_heard(backend: Backend) -> None:
    client = Client(500, 302, 204)
    async with client.listening() as url, backend.opened() as (store, _):
        caller = Caller(store, CallbackGuard(OPTIONS.callback_hosts), OPTIONS)
        job = await store.add(new_job(callback=Callback(url)), 10)
        await caller.deliver(NOW)
        assert client.heard == [], "it has not ended"
        await store.update(job.id, lambda job: job.cancelled(NOW))
        for second in range(0, 600, 5):
            await caller.deliver(NOW + timedelta(seconds=second))
        assert len(client.heard) == 3, "redirects are not followed; later calls come later"
        assert await store.oldest(OWES_CALLBACK, 1) == []
        assert (await store.get(job.id)).callback.error is None
    headers, body = client.heard[0]
    assert json.loads(body) == {
        "type": "job.cancelled",
        "timestamp": NOW.isoformat(),
        "data": {"job_id": job.id, "status": "cancelled", "sha256": "abc"},
    }
    # As a client would check it, by the words of the specification.
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.{body.decode()}"
    digest = hmac.digest(b"between the two of us", signed.encode(), hashlib.sha256)
    assert headers["webhook-signature"] == "v1," + base64.b64encode(digest).decode()


async def test_it_is_given_up_in_the_end(backend: Backend) -> None:
    client = Client(500, 500, 500)
    async with client.listening() as url, backend.opened() as (store, _):
        caller = Caller(store, CallbackGuard(OPTIONS.callback_hosts), OPTIONS)
        job = await store.add(new_job(callback=Callback(url)).cancelled(NOW), 10)
        for hour in range(5):
            await caller.deliver(NOW + timedelta(hours=hour))
        callback = (await store.get(job.id)).callback
    assert (callback.is_settled, callback.tries, callback.error) == (True, 3, "it answered 500")


async def test_two_processes_call_once(backend: Backend) -> None:
    client = Client(204, 204)
    async with client.listening() as url, backend.opened() as (store, _):
        callers = [Caller(store, CallbackGuard(OPTIONS.callback_hosts), OPTIONS) for _ in range(5)]
        await store.add(new_job(callback=Callback(url)).cancelled(NOW), 10)
        await asyncio.gather(*(caller.deliver(NOW) for caller in callers))
    assert len(client.heard) == 1


async def test_a_clock_that_was_set_back_delays_nothing(backend: Backend) -> None:
    client = Client(204)
    async with client.listening() as url, backend.opened() as (store, _):
        caller = Caller(store, CallbackGuard(OPTIONS.callback_hosts), OPTIONS)
        waiting = replace(Callback(url), tries=1, next_at=NOW + timedelta(days=9_000))
        await store.add(new_job(callback=waiting).cancelled(NOW), 10)
        await caller.deliver(NOW)
    assert len(client.heard) == 1


@asynccontextmanager
async def answering(
    *pieces: bytes, pause_s: float = 0.0
) -> AsyncIterator[tuple[str, asyncio.Event]]:
    """Somebody who says something else than was asked, maybe slowly; and who hung up."""
    hung_up = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10_000)
        with contextlib.suppress(ConnectionError):
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(pause_s)
        hung_up.set()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", hung_up


async def called(store: JobStore, url: str, options: JobsOptions = OPTIONS) -> Callback:
    """What has become of one call."""
    job = await store.add(new_job(callback=Callback(url)).cancelled(NOW), 100)
    await Caller(store, CallbackGuard(options.callback_hosts), options).deliver(NOW)
    callback = (await store.get(job.id)).callback
    assert callback is not None
    return callback


async def test_who_drips_is_left_and_takes_no_thread(backend: Backend) -> None:
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
    impatient = replace(OPTIONS, callback_timeout_s=0.3)
    head = [bytes([byte]) for byte in b"HTTP/1.1 200 OK" + b"x" * 10_000]
    async with answering(*head, pause_s=0.02) as (url, hung_up), backend.opened() as (store, _):
        async with asyncio.timeout(2):
            assert (await called(store, url, impatient)).error == "no answer within 0.3 s"
            await asyncio.to_thread(lambda: None)
            await hung_up.wait()


async def test_a_name_server_that_does_not_answer_holds_nobody_up(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
    impatient = replace(OPTIONS, callback_timeout_s=0.3)
    answered = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answered.wait(60) and [])
    async with backend.opened() as (store, _), asyncio.timeout(5):
        callback = await called(store, "http://example.com/", impatient)
        await asyncio.to_thread(lambda: None)
    answered.set()
    assert callback.error == "no answer within 0.3 s"


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"HTTP/1.1 103 Early Hints\r\nLink: </>\r\n\r\nHTTP/1.0 204\r\n\r\n", None),
        (b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 404 No\r\n\r\n", "it answered 404"),
        (b"HTTP/1.1 200 OK\r\n", "it hung up without an answer"),
        (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", "its answer is not HTTP"),
        (b"HTTP/1.1 2000\r\n\r\n", "its answer is not HTTP"),
        (b"HTTP/1.1 200 OK\r\n" + b"X" * 100_000, "the head of its answer is too long"),
    ],
)
async def test_what_counts_as_an_answer(backend: Backend, answer: bytes, error: str) -> None:
    async with answering(answer) as (url, _), backend.opened() as (store, _):
        assert (await called(store, url)).error == error


@pytest.mark.parametrize("is_trusted", [True, False])
async def test_secret_calls_are_for_who_proves_its_name(
    backend: Backend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_trusted: bool
) -> None:
    certificate = self_signed(tmp_path, "127.0.0.1")
    if is_trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate.file))
    _trusted.cache_clear()
    client = Client(204)
    async with client.listening(certificate.for_servers()) as url, backend.opened() as (store, _):
        error = (await called(store, url)).error
    _trusted.cache_clear()
    assert len(client.heard) == is_trusted
    assert error is None if is_trusted else "certificate verify failed" in error


async def test_an_address_that_has_moved_home_is_not_called(backend: Backend) -> None:
    client = Client()
    async with client.listening() as url, backend.opened() as (store, _):
        caller = Caller(store, CallbackGuard(()), OPTIONS)
        job = await store.add(new_job(callback=Callback(url)).cancelled(NOW), 10)
        await caller.deliver(NOW)
        assert "private network" in (await store.get(job.id)).callback.error
    assert client.heard == []
