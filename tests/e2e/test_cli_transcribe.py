"""`transcribe` as a user runs it, on the model that needs no files."""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.support.program import PROGRAM, run, write_recording
from tests.support.sound import loud, quiet

WORDS = "turn on the kitchen light please"

SPOKEN = Path(__file__).parents[1] / "data" / "spoken"


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    return write_recording(tmp_path / "recording.wav")


def test_words_go_to_standard_output(tmp_path: Path) -> None:
    recording = write_recording(tmp_path / "recording.wav", rate=44_100)
    done = run("transcribe", "--model", "fake", recording)
    assert (done.returncode, done.stdout, done.stderr) == (0, WORDS + "\n", "")


def test_json_is_one_object_a_line_in_the_order_of_the_files(tmp_path: Path) -> None:
    files = [write_recording(tmp_path / f"{n}.wav", duration_s=n * 0.32) for n in (9, 3, 6)]
    done = run("transcribe", "--model", "fake", "--format", "json", *files)
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert [result["file"] for result in results] == [str(file) for file in files]
    assert [result["duration"] for result in results] == [2.88, 0.96, 1.92]
    assert [len(result["words"]) for result in results] == [9, 3, 6]
    assert all(0 <= result["confidence"] <= 1 for result in results)
    assert all(result["rtf"] > 0 for result in results)


def test_standard_input_is_a_file_too(recording: Path) -> None:
    done = run("transcribe", "--model", "fake", "-", stdin=recording.read_bytes())
    assert (done.returncode, done.stdout) == (0, WORDS + "\n")


def test_subtitles(recording: Path) -> None:
    done = run("transcribe", "--model", "fake", "--format", "srt", recording)
    assert done.stdout.splitlines()[0] == "1"
    assert WORDS in done.stdout
    several = run("transcribe", "--model", "fake", "--format", "srt", recording, recording)
    assert several.returncode == 2
    assert "one file at a time" in several.stderr


def test_partials_appear_on_standard_error(recording: Path) -> None:
    done = run("transcribe", "--model", "fake", "--partials", recording)
    shown = [line.split(" s  ")[1] for line in done.stderr.splitlines()]
    assert shown[0].startswith("turn")
    assert shown[-1] == WORDS
    assert sorted(shown, key=len) == shown


def test_a_bad_file_is_one_line_and_the_others_go_on(tmp_path: Path, recording: Path) -> None:
    bad = tmp_path / "notes.wav"
    bad.write_text("no audio at all")
    absent = tmp_path / "absent.wav"
    done = run("transcribe", "--model", "fake", bad, recording, absent, tmp_path)
    assert (done.returncode, done.stdout) == (1, WORDS + "\n")
    assert "Traceback" not in done.stderr
    lines = done.stderr.splitlines()
    assert [str(bad) in lines[0], str(absent) in lines[1], str(tmp_path) in lines[2]] == [True] * 3
    assert len(lines) == 3


def test_a_voice_detector_keeps_noise_from_the_model(recording: Path) -> None:
    done = run("transcribe", "--model", "fake", "--vad", "silero", recording)
    assert (done.returncode, done.stdout) == (0, "\n")


def test_without_a_model_the_one_inside_listens() -> None:
    done = run("transcribe", SPOKEN / "en_US-zamia__turn_on_the_bedroom_light.ogg")
    assert (done.returncode, done.stdout) == (0, "turn on the bedroom light\n")


def test_a_folder_that_is_no_model_is_explained(tmp_path: Path, recording: Path) -> None:
    done = run("transcribe", "--model-dir", tmp_path, recording)
    assert done.returncode == 1
    assert str(tmp_path / "tokens.txt") in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.slow
def test_an_hour_takes_no_more_memory_than_a_minute(tmp_path: Path) -> None:
    minute = np.tile(np.frombuffer(loud(1.28) + quiet(0.72), "<i2"), 30)
    peaks_mb = []
    for minutes in (1, 60):
        file = tmp_path / f"{minutes}.flac"
        with soundfile.SoundFile(file, "w", 16_000, 1, "PCM_16") as sound:
            for _ in range(minutes):
                sound.write(minute)
        process = subprocess.Popen(
            [*PROGRAM, "transcribe", "--model", "fake", "--format", "json", file],
            stdout=subprocess.PIPE,
        )
        assert process.stdout is not None
        with process.stdout as output:
            result = json.loads(output.read())
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0
        assert result["duration"] == minutes * 60
        assert len(result["words"]) >= minutes * 30 * 4
        assert result["words"][-1]["end"] == pytest.approx(minutes * 60 - 0.72, abs=0.33)
        peaks_mb.append(usage.ru_maxrss / 1024)
    assert peaks_mb[1] - peaks_mb[0] < 50
