"""Jobs through the HTTP door: every route, and what is answered when something is wrong."""

import asyncio
import json
import sqlite3
import subprocess
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.http_door import ANYWHERE, Door, connected, open_door, say
from tests.support.job_queues import FAST, wav
from tests.support.media import encode
from tests.support.sound import sound
from tests.support.uploads import until
from wyoming_stt.front.http.options import HttpOptions

WORDS = "turn on the"
RECORDING = wav(sound((True, 0.96)))
ALIASES = [("/v1/jobs", "/v1/jobs"), ("/transcribe/async", "/jobs")]
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


async def submit(client: httpx.AsyncClient, path: str = "/v1/jobs", **fields: str) -> str:
    answer = await client.post(path, files={"file": RECORDING}, data=fields)
    assert answer.status_code == 202, answer.text
    assert answer.json()["status"] == "queued"
    return answer.json()["job_id"]


async def ended(client: httpx.AsyncClient, job_id: str, path: str = "/v1/jobs") -> dict[str, Any]:
    async with asyncio.timeout(30):
        while True:
            job = (await client.get(f"{path}/{job_id}")).json()
            if job["status"] not in {"queued", "processing"}:
                return job
            await asyncio.sleep(0.02)


def files_in(folder: Path, name: str = "jobs") -> list[str]:
    return [file.name for file in (folder / name).glob("*")]


@pytest.mark.parametrize(("submission", "path"), ALIASES)
async def test_from_the_recording_to_its_words(door: Door, submission: str, path: str) -> None:
    async with door.client() as client:
        job_id = await submit(client, submission, language="en")
        job = await ended(client, job_id, path)
        assert (job["status"], job["progress"], job["tries"]) == ("completed", 100.0, 1)
        result = job["result"]
        assert (result["text"], result["language"], result["duration"]) == (WORDS, "en", 0.96)
        assert [word["word"] for word in result["words"]] == WORDS.split()
        assert [segment["text"] for segment in result["segments"]] == [WORDS]
        assert result["processing_time"] > 0
        text = await client.get(f"{path}/{job_id}", params={"format": "text"})
        assert text.text == f"{WORDS}\n"
        srt = await client.get(f"{path}/{job_id}", params={"format": "srt"})
        assert srt.text.startswith("1\n00:00:00,000 --> ")
        vtt = await client.get(f"{path}/{job_id}", params={"format": "vtt"})
        assert vtt.text.startswith("WEBVTT\n")
        listed = (await client.get(path, params={"status": "completed"})).json()
        assert [entry["job_id"] for entry in listed["jobs"]] == [job_id]
        removed = (await client.delete(f"{path}/{job_id}")).json()
        assert removed["message"].startswith("removed")
        assert (await client.get(f"{path}/{job_id}")).json()["code"] == "job_not_found"


async def test_the_old_name_of_an_upload(door: Door) -> None:
    async with door.client() as client:
        small = wav(sound((True, 0.3)))
        answers = [
            (await client.post(path, files={"file": small})).json()
            for path in ("/transcribe", "/v1/transcribe")
        ]
    for answer in answers:
        del answer["rtf"]
    assert answers[0] == answers[1]


async def test_speakers_are_answered_for_honestly(door: Door) -> None:
    async with door.client() as client:
        job = await ended(client, await submit(client, enable_diarization="true"))
        assert job["result"]["diarization"] == {"available": False, "reason": "no_speaker_model"}
        job = await ended(client, await submit(client))
        assert job["result"]["diarization"] is None


async def test_events_tell_how_it_goes_on(door: Door) -> None:
    async with door.client() as client:
        long = wav(sound(*[(True, 21.0), (False, 1.2)] * 3))
        job_id = (await client.post("/v1/jobs", content=long)).json()["job_id"]
        async with client.stream("GET", f"/v1/jobs/{job_id}/events") as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            lines = [line async for line in answer.aiter_lines() if line.startswith("data: ")]
        events = [json.loads(line.removeprefix("data: ")) for line in lines]
        assert [event["type"] for event in events[:-1]] == ["progress"] * (len(events) - 1)
        assert events[-1]["type"] == "completed"
        shares = [event["progress"] for event in events]
        assert shares == sorted(shares)
        assert "result" not in events[-1]
        missing = await client.get("/v1/jobs/nobody/events")
        assert missing.json()["code"] == "job_not_found"


async def test_how_the_queue_is(idle: Door) -> None:
    async with idle.client() as client:
        await submit(client)
        expected = {
            "queue_length": 1,
            "processing": 0,
            "workers": 0,
            "backend": "sqlite",
            "healthy": True,
        }
        for path in ("/v1/queue/stats", "/queue/stats"):
            assert (await client.get(path)).json() == expected


async def test_a_queued_job_can_be_cancelled_and_removed(idle: Door, tmp_path: Path) -> None:
    async with idle.client() as client:
        job_id = await submit(client)
        unfinished = await client.get(f"/v1/jobs/{job_id}", params={"format": "srt"})
        assert (unfinished.status_code, unfinished.json()["code"]) == (409, "job_not_completed")
        assert (await client.delete(f"/v1/jobs/{job_id}")).json()["status"] == "cancelled"
        again = await client.post(f"/v1/jobs/{job_id}/cancel")
        assert (again.status_code, again.json()["code"]) == (409, "job_not_cancellable")
        assert (await client.delete(f"/v1/jobs/{job_id}")).status_code == 200
        assert (await client.delete(f"/v1/jobs/{job_id}")).status_code == 404
    assert files_in(tmp_path) == []


async def test_the_same_key_is_the_same_job(idle: Door) -> None:
    async with idle.client(headers={"Idempotency-Key": "mine"}) as client:
        assert await submit(client) == await submit(client)
        other = await client.post("/v1/jobs", files={"file": wav(sound((True, 2.0)))})
        assert (other.status_code, other.json()["code"]) == (400, "invalid_request")


async def test_pages_of_ten_thousand(idle: Door, tmp_path: Path) -> None:
    async with idle.client() as client:
        await submit(client)
        await asyncio.to_thread(multiply, tmp_path / "jobs.sqlite3", 10_000)
        seen: list[str] = []
        cursor = None
        while True:
            query = {"limit": 200} | ({"cursor": cursor} if cursor is not None else {})
            page = (await client.get("/v1/jobs", params=query)).json()
            seen += [job["job_id"] for job in page["jobs"]]
            if (cursor := page["next_cursor"]) is None:
                break
        assert len(seen) == len(set(seen)) == 10_000


def multiply(file: Path, number: int) -> None:
    """Make copies of the only job in the file, completed ones."""
    with sqlite3.connect(file) as connection:
        (document,) = connection.execute("SELECT document FROM jobs").fetchone()
        for seq in range(2, number + 1):
            job = {**json.loads(document), "id": str(seq), "seq": seq, "state": "completed"}
            job |= {"audio": None, "completed_at": "2100-01-01T00:00:00Z"}
            connection.execute(
                "INSERT INTO jobs VALUES (?, ?, NULL, 'completed', 0, ?)",
                (seq, str(seq), json.dumps(job)),
            )
            connection.execute("INSERT INTO labels VALUES ('completed', ?)", (seq,))
    connection.close()


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


async def test_where_there_are_no_jobs(tmp_path: Path) -> None:
    async with open_door(data_dir=tmp_path) as door, door.client() as client:
        for path in ("/v1/jobs", "/v1/jobs/x", "/queue/stats"):
            answer = await client.get(path)
            assert (answer.status_code, answer.json()["code"]) == (404, "jobs_disabled")


async def test_a_stopping_server_lets_go_of_who_watches(tmp_path: Path) -> None:
    async with open_door(data_dir=tmp_path, jobs=NOBODY) as door:
        async with door.client() as client:
            job_id = await submit(client)
        request = f"GET /v1/jobs/{job_id}/events HTTP/1.1\r\nHost: x\r\n\r\n"
        watching = asyncio.create_task(say(door.url, request.encode()))
        await asyncio.sleep(0.2)
        async with asyncio.timeout(5):
            await door.server.stop()
            assert b'"type": "progress"' in await watching
