"""What the HTTP door answers when something is wrong with a job."""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.http_door import ANYWHERE, Door, connected, open_door
from tests.support.job_clients import RECORDING, ended, files_in, submit
from tests.support.job_queues import FAST, wav
from tests.support.media import encode
from tests.support.redis_server import needs_redis, redis_server
from tests.support.sound import sound
from tests.support.uploads import until
from wyoming_stt.front.http.options import HttpOptions

NOBODY = replace(FAST, workers=0)
LARGE = HttpOptions(uri=ANYWHERE, max_body_bytes=10_000)


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    async with open_door(LARGE, data_dir=tmp_path, jobs=FAST) as door:
        yield door


@pytest.fixture
async def idle(tmp_path: Path) -> AsyncIterator[Door]:
    """Where nobody works."""
    async with open_door(LARGE, data_dir=tmp_path, jobs=NOBODY) as door:
        yield door


@pytest.mark.parametrize(
    ("body", "content_type", "error"),
    [
        (b"", "audio/wav", (400, "empty_body")),
        (b'{"audio": 1}', "application/json", (422, "invalid_audio")),
        (RECORDING, "multipart/form-data", (400, "invalid_request")),
        (b"MThd" + bytes(500), "audio/wav", (422, "invalid_audio")),
    ],
)
async def test_what_is_no_recording_is_refused_at_once(
    idle: Door, tmp_path: Path, body: bytes, content_type: str, error: tuple[int, str]
) -> None:
    async with idle.client() as client:
        answer = await client.post("/v1/jobs", content=body, headers={"content-type": content_type})
        assert (answer.status_code, answer.json()["code"]) == error
        assert (await client.get("/v1/jobs")).json()["jobs"] == []
    assert files_in(tmp_path) == []


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"language": "tlh"}, 415, "unsupported_language"),
        ({"model": "large"}, 404, "model_not_found"),
        ({"hotwords": "x" * 1_000}, 422, "invalid_request"),
        ({"enable_diarization": "maybe"}, 422, "invalid_request"),
        ({"callback_url": "http://169.254.169.254/"}, 400, "invalid_request"),
        ({"callback_url": "ftp://example.com/"}, 400, "invalid_request"),
    ],
)
async def test_wishes_that_cannot_be_met(
    idle: Door, tmp_path: Path, fields: dict[str, str], status: int, code: str
) -> None:
    async with idle.client() as client:
        answer = await client.post("/v1/jobs", files={"file": RECORDING}, data=fields)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert files_in(tmp_path) == []


async def test_a_recording_that_is_damaged_further_on(door: Door) -> None:
    whole = encode("flac", "flac", duration_s=60)
    async with door.client() as client:
        answer = await client.post("/v1/jobs", content=whole[: len(whole) // 2])
        job = await ended(client, answer.json()["job_id"])
    assert (job["status"], job["error_code"]) == ("failed", "invalid_audio")
    assert "damaged after 29.4 s" in job["error"]
    assert job["tries"] == 1, "it would be damaged the next time, too"


async def test_an_upload_that_breaks_off_is_no_job(idle: Door, tmp_path: Path) -> None:
    async with connected(idle.url) as (_, writer):
        head = f"POST /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Length: {len(RECORDING)}\r\n\r\n"
        writer.write(head.encode() + RECORDING[:20_000])
        await writer.drain()
        await until(lambda: files_in(tmp_path))
    await until(lambda: not files_in(tmp_path))
    async with idle.client() as client:
        assert (await client.get("/v1/jobs")).json()["jobs"] == []


async def test_limits_of_its_own(tmp_path: Path) -> None:
    jobs = replace(NOBODY, max_upload_bytes=50_000, max_queued=1)
    async with open_door(LARGE, data_dir=tmp_path, jobs=jobs) as door, door.client() as client:
        await submit(client)  # more than the other routes take
        answer = await client.post("/v1/jobs", files={"file": RECORDING})
        assert (answer.status_code, answer.json()["code"]) == (429, "queue_full")
        assert answer.headers["retry-after"] == "60"
        answer = await client.post("/v1/jobs", content=bytes(60_000))
        assert (answer.status_code, answer.json()["code"]) == (413, "payload_too_large")
        assert "jobs.max_upload_bytes" in answer.json()["error"]
        answer = await client.post("/v1/transcribe", content=RECORDING)
        assert answer.status_code == 413
    assert len(files_in(tmp_path)) == 1


async def test_no_disk_space_is_left_to_take(tmp_path: Path) -> None:
    jobs = replace(NOBODY, min_free_bytes=1 << 60)
    async with open_door(data_dir=tmp_path, jobs=jobs) as door, door.client() as client:
        answer = await client.post("/v1/jobs", files={"file": RECORDING})
        assert (answer.status_code, answer.json()["code"]) == (503, "saturated")
        assert "jobs.min_free_bytes" in answer.json()["error"]
    assert files_in(tmp_path) == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "jobs", folder],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("only root may make a small disk")
    yield folder
    subprocess.run(["umount", folder], check=True)


async def test_a_full_disk_is_told_and_outlived(small_disk: Path, tmp_path: Path) -> None:
    jobs = replace(FAST, folder=str(small_disk))
    async with open_door(data_dir=tmp_path, jobs=jobs) as door, door.client() as client:
        large = wav(sound((True, 20.0)))
        answer = await client.post("/v1/jobs", files={"file": large})
        assert (answer.status_code, answer.json()["code"]) == (503, "saturated")
        assert "No space left" in answer.json()["error"]
        assert files_in(small_disk.parent, small_disk.name) == []
        assert (await ended(client, await submit(client)))["status"] == "completed"


async def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "jobs.sqlite3").write_bytes(b"no database" * 1_000)
    async with open_door(data_dir=tmp_path, jobs=NOBODY) as door, door.client() as client:
        answer = await client.get("/v1/jobs")
        assert (answer.status_code, answer.json()["code"]) == (503, "jobs_unavailable")
        assert (await client.get("/v1/queue/stats")).json()["healthy"] is False
        assert (await client.get("/health")).status_code == 200


@needs_redis
async def test_redis_comes_and_goes(tmp_path: Path) -> None:
    with redis_server(tmp_path) as redis:
        jobs = replace(NOBODY, backend=redis.url)
        async with open_door(data_dir=tmp_path, jobs=jobs) as door, door.client() as client:

            async def health() -> tuple[str, bool, bool]:
                stats = (await client.get("/v1/queue/stats")).json()
                return stats["backend"], stats["healthy"], stats["redis_healthy"]

            assert await health() == ("redis", True, True)
            redis.stop()
            assert await health() == ("redis", False, False)
            answer = await client.post("/v1/jobs", files={"file": RECORDING})
            assert (answer.status_code, answer.json()["code"]) == (503, "jobs_unavailable")
            redis.start()
            # A connection from before may have to be tried first.
            async with asyncio.timeout(5):
                while await health() != ("redis", True, True):  # noqa: ASYNC110 - nobody tells
                    await asyncio.sleep(0.05)


async def test_where_there_are_no_jobs(tmp_path: Path) -> None:
    async with open_door(data_dir=tmp_path) as door, door.client() as client:
        for path in ("/v1/jobs", "/v1/jobs/x", "/queue/stats"):
            answer = await client.get(path)
            assert (answer.status_code, answer.json()["code"]) == (404, "jobs_disabled")
