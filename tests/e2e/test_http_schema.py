"""What /openapi.json says is what the server does, whatever it is sent."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import httpx
import pytest

from tests.support.program import server

ROOT = Path(__file__).parents[2]
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
)
UPLOADS = ("/v1/transcribe", "/v1/transcribe/stream", "/v1/audio/transcriptions")


@pytest.mark.slow
def test_the_description_is_true(tmp_path: Path) -> None:
    with server("--model", "fake", "--set", "http.metrics=true", patience_s=150) as running:
        url = running.http()
        log: list[str] = []
        reader = threading.Thread(target=log.extend, args=(running.process.stderr,))
        reader.start()  # or the server would wait for somebody to read
        command = [
            *(Path(sys.executable).parent / "schemathesis", "run", f"{url}/openapi.json"),
            *("--checks", ",".join(CHECKS), "--phases", "coverage,fuzzing"),
            *("--max-examples", "30", "--seed", "1", "--max-time", "60", "--no-color"),
        ]
        hooks = {"SCHEMATHESIS_HOOKS": "tests.support.schema_hooks", "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            command,
            cwd=tmp_path,
            env={**os.environ, **hooks},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        metrics = httpx.get(f"{url}/metrics").text
        described = httpx.get(f"{url}/openapi.json").json()["paths"]
        for route, operations in described.items():
            for method in operations:
                asked = f'{{method="{method.upper()}",route="{route}",status='
                assert asked in metrics, "nobody asked for it"
        for route in UPLOADS:
            heard = f'{{method="POST",route="{route}",status="200"}}'
            assert heard in metrics, "not a single recording was heard"
        running.process.terminate()
        reader.join()
    assert not [line for line in log if "Traceback" in line or "ERROR" in line]
