"""The image, built without Docker and run: its services, under supervision, as their files say."""

import contextlib
import fcntl
import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import soundfile
from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncTcpClient
from wyoming.info import Describe, Info

from tests.support.container import ROOT, Container, Image
from tests.support.netns import Host, needs_namespaces
from tests.support.program import write_recording
from tests.support.shared import MODEL, needs_shared, recordings
from tests.support.supervisor_api import TOKEN, Supervisor
from tests.support.words import word_errors

pytestmark = [
    pytest.mark.slow,
    pytest.mark.image,
    pytest.mark.timeout(900),  # the first one waits for the build
    needs_namespaces("buildah", "debootstrap", "unshare", "nsenter"),
]

APP = {"SUPERVISOR_TOKEN": TOKEN}
FAKE = {"WYOMING_STT_MODEL__NAME": "fake", "WYOMING_STT_VAD__KIND": "off"}
NO_MIRROR = 75
MOST_MB = 360

IMPORT_EVERYTHING = """
import importlib, importlib.metadata as metadata
for name in metadata.packages_distributions():
    if name.isidentifier():
        importlib.import_module(name)
"""

Run = Callable[..., Container]


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    built = subprocess.run(
        [ROOT / "scripts" / "build-image"], capture_output=True, text=True, check=False
    )
    if built.returncode == NO_MIRROR:
        pytest.skip(f"no Debian mirror: {built.stderr}")
    assert built.returncode == 0, built.stdout + built.stderr
    folder = ROOT / "build" / "image"
    with (folder / "lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)  # nobody builds another one meanwhile
        yield Image(folder)


@pytest.fixture
def host() -> Iterator[Host]:
    """A machine without any network but its own loopback."""
    with Host() as host:
        host.shell("ip link set lo up")
        yield host


@pytest.fixture
def supervisor(host: Host, tmp_path: Path) -> Iterator[Supervisor]:
    async def start() -> Supervisor:  # in the host's thread, and so in its network
        return Supervisor()

    etc = tmp_path / "scratch" / "upper" / "etc"
    etc.mkdir(parents=True)
    (etc / "hosts").write_text("127.0.0.1 localhost supervisor\n")
    with host.run(start()) as supervisor:
        yield supervisor


@pytest.fixture
def run(image: Image, host: Host, tmp_path: Path) -> Iterator[Run]:
    """Start the image with `/data` in `tmp_path / "data"`."""
    with contextlib.ExitStack() as stack:
        yield lambda environment, prepare=":": stack.enter_context(
            Container(image, host, tmp_path, environment, prepare)
        )


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Six loud moments, in which the model `fake` hears its words."""
    return write_recording(tmp_path / "recording.wav")


def hear(host: Host, recording: Path) -> str:
    """Say a recording to the server, as any client of the protocol does, in 10 ms pieces."""
    samples, rate = soundfile.read(recording, dtype="int16")
    layout = {"rate": rate, "width": 2, "channels": 1}
    pcm = samples.tobytes()
    step = rate // 100 * 2

    async def say() -> str:
        async with AsyncTcpClient("127.0.0.1", 10300, read_timeout=30) as client:
            await client.write_event(Transcribe().event())
            await client.write_event(AudioStart(**layout).event())
            for start in range(0, len(pcm), step):
                chunk = AudioChunk(audio=pcm[start : start + step], **layout)
                await client.write_event(chunk.event())
            await client.write_event(AudioStop().event())
            while event := await client.read_event():
                if Transcript.is_type(event.type):
                    return Transcript.from_event(event).text
        raise AssertionError("hung up without a transcript")

    return host.run(say())


def describe(host: Host) -> Info:
    async def ask() -> Info:
        async with AsyncTcpClient("127.0.0.1", 10300, read_timeout=30) as client:
            await client.write_event(Describe().event())
            event = await client.read_event()
            assert event is not None
            return Info.from_event(event)

    return host.run(ask())


def test_the_image_is_small(image: Image) -> None:
    done = subprocess.run(
        ["du", "--summarize", "--apparent-size", "--block-size=MB", image.root],
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(done.stdout.split("MB")[0]) <= MOST_MB


def test_the_app_is_discovered_hears_and_stops(
    run: Run, host: Host, supervisor: Supervisor, recording: Path, tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir()
    options = tmp_path / "data" / "options.json"
    options.write_text(json.dumps({"threads": "1"}))
    options.chmod(0o600)  # as the Supervisor writes it
    app = run(APP | FAKE)
    app.wait_for("Listening on")
    app.wait_for(r"\[\d\d:\d\d:\d\d\] INFO: Ready: model fake")
    supervisor.wait_for(messages=1)
    uri = f"tcp://{app.shell('hostname').strip()}:10300"
    assert supervisor.discovered == [{"service": "wyoming", "config": {"uri": uri}}]

    assert describe(host).asr[0].models[0].languages == ["en"]
    assert hear(host, recording) == "turn on the kitchen light please"
    health = app.run(*app.image.health_check[1:])
    assert (health.returncode, health.stderr) == (0, "")
    owner = app.shell(f"stat -c %U /proc/{app.server()}; stat -c '%U %G %a' /run/wyoming-stt/*")
    assert owner.split("\n")[:2] == ["stt", "root stt 440"]

    assert app.stop() == 0
    assert "Stopped" in app.log
    assert "WARNING" not in app.log
    assert "kitchen" not in app.log
    assert TOKEN not in app.log
    assert len(supervisor.discovered) == 1


def test_a_killed_server_comes_back_and_is_discovered_again(
    run: Run, host: Host, supervisor: Supervisor, recording: Path
) -> None:
    app = run(APP | FAKE)
    app.wait_for("Ready")
    supervisor.wait_for(messages=1)
    app.shell(f"kill -KILL {app.server()}")
    app.wait_for("WARNING: The server was ended by signal 9")
    app.wait_for("Ready", times=2)
    supervisor.wait_for(messages=2)
    assert supervisor.discovered[0] == supervisor.discovered[1]
    assert hear(host, recording) == "turn on the kitchen light please"
    assert app.stop() == 0


def test_a_server_that_is_killed_again_and_again_ends_the_container(run: Run) -> None:
    app = run(APP | FAKE)
    for times in range(1, 6):
        app.wait_for("Listening on", times=times)
        app.shell(f"kill -KILL {app.server()}")
    assert app.wait() == 128 + 9
    assert "ERROR: That was the 5th time" in app.log


def test_a_server_that_cannot_start_ends_the_container_and_says_why(run: Run) -> None:
    app = run(APP | {"WYOMING_STT_MODEL__NAME": "no-such-model"})
    assert app.wait() != 0
    assert "no-such-model" in app.log
    assert "ERROR: The server failed with exit code" in app.log
    assert "Traceback" not in app.log


def test_outside_home_assistant_it_announces_itself(run: Run, host: Host, recording: Path) -> None:
    host.shell(
        "ip link add lan0 type veth peer name lan1; ip link set lan0 up; ip link set lan1 up"
    )
    host.shell("ip address add 10.0.0.2/24 dev lan0")
    plain = run(FAKE)
    plain.wait_for("Ready")
    plain.wait_for("announced on lan0 as")
    assert hear(host, recording) == "turn on the kitchen light please"
    assert plain.stop() == 0


def test_without_any_network_it_serves_its_own_machine(
    run: Run, host: Host, recording: Path
) -> None:
    plain = run(FAKE)
    plain.wait_for("there is no network address yet")
    plain.wait_for("Ready")
    assert hear(host, recording) == "turn on the kitchen light please"
    assert plain.stop() == 0


@pytest.mark.parametrize("written", ["{", "[]", '{"threads": "many"}', "\0"])
def test_damaged_options_are_named_and_left_out(
    written: str, run: Run, host: Host, recording: Path, tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "options.json").write_text(written)
    app = run(APP | FAKE)
    app.wait_for("WARNING: .*(options in .* are|Option threads is) ignored")
    app.wait_for("Ready")
    assert hear(host, recording) == "turn on the kitchen light please"
    assert app.stop() == 0


READ_ONLY = 'mount --bind "$data" "$data"; mount -o remount,ro,bind "$data"'
FULL = """
for place in "$data" "$scratch"; do
  mount -t tmpfs -o size=64k tmpfs "$place"
  head -c 1M /dev/zero 2>/dev/null > "$place/full" || :
done
"""


@pytest.mark.parametrize("prepare", [READ_ONLY, FULL], ids=["read-only", "full"])
def test_a_disk_that_takes_nothing_is_named_and_does_not_matter(
    prepare: str, run: Run, host: Host, recording: Path
) -> None:
    app = run(APP | FAKE, prepare)
    app.wait_for("WARNING: /data is full or cannot be written")
    app.wait_for("Ready")
    assert hear(host, recording) == "turn on the kitchen light please"
    assert app.stop() == 0


@needs_shared
def test_a_model_of_ones_own_hears_what_was_said(run: Run, host: Host, tmp_path: Path) -> None:
    folder = tmp_path / "data" / "models" / "own"
    shutil.copytree(MODEL, folder)
    (tmp_path / "data" / "options.json").write_text(json.dumps({"custom_model": "own"}))
    app = run(APP)
    app.wait_for("Ready: model own")
    for item in recordings("ha-commands-tts-en", most=3):
        assert word_errors(item.transcript, hear(host, item.path)) <= 1
    assert app.stop() == 0


def test_nothing_that_is_used_was_trimmed_away(run: Run, recording: Path, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    soundfile.write(tmp_path / "data" / "recording.mp3", *soundfile.read(recording))
    app = run(FAKE)
    app.wait_for("Ready")
    imported = app.run("python", "-c", IMPORT_EVERYTHING)
    assert (imported.returncode, imported.stderr) == (0, "")
    transcribed = app.run(
        *("wyoming-stt", "transcribe", "--model", "fake"),
        *("--set", "vad.kind=silero", "/data/recording.mp3"),
    )
    assert transcribed.returncode == 0, transcribed.stderr
