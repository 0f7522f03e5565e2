"""Jobs through the HTTP door: every route."""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.http_door import ANYWHERE, Door, open_door, say
from tests.support.job_clients import WORDS, ended, files_in, submit
from tests.support.job_queues import FAST, wav
from tests.support.sound import sound
from wyoming_stt.front.http.options import HttpOptions

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
