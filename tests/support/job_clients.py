"""Clients that hand recordings in at the HTTP door and come back."""

import asyncio
from pathlib import Path
from typing import Any

import httpx

from tests.support.job_queues import wav
from tests.support.sound import sound

__all__ = ["RECORDING", "WORDS", "ended", "files_in", "submit"]

WORDS = "turn on the"
RECORDING = wav(sound((True, 0.96)))


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
    return [file.name for file in (folder / name).glob("[!.]*")]
