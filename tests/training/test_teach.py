from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.support.shared import MODEL, needs_shared, recordings
from training.recordings import CORPORA, Corpus, is_held_out, read_audio, utterances
from training.shards import Shard, Utterance, write_shard
from training.teach import teach
from training.transcripts import Transcripts

NO_WORDS = Transcripts(Path("/nowhere.tsv"))


@needs_shared
def test_the_teacher_hears_words_and_gives_25_frames_a_second(tmp_path: Path) -> None:
    (recording,) = recordings("ha-commands-tts-en", 1)
    audio = (read_audio(recording.path) * 32767).astype(np.int16)
    write_shard(tmp_path / "rec", [Utterance("", "test", "", audio)])
    assert teach(tmp_path / "rec", MODEL) == 1
    taught = Shard(tmp_path / "rec")
    assert len(taught.features(0)) == pytest.approx(len(audio) / 640, abs=1)
    assert set(recording.transcript.lower().split()) & set(taught.heard(0).split())


def test_dev_sets_are_never_training_data(tmp_path: Path) -> None:
    assert not {"librispeech-other-a", "ha-commands-tts-en"} & {corpus.name for corpus in CORPORA}
    commands = Corpus("ha-commands-tts-en", verbatim=True, weight=1.0)
    with pytest.raises(ValueError, match="dev set"):
        next(utterances(tmp_path, commands, 1.0, 1, NO_WORDS))


def write_corpus(folder: Path, rows: list[tuple[str, str, str]]) -> None:
    folder.mkdir()
    lines = ["file\ttranscript\tspeaker\tseconds"]
    for name, text, speaker in rows:
        soundfile.write(folder / name, np.full(8000, 0.1, np.float32), 16000)
        lines.append(f"{name}\t{text}\t{speaker}\t0.5")
    (folder / "manifest.tsv").write_text("\n".join(lines) + "\n")


def test_single_words_are_joined_within_a_speaker(tmp_path: Path) -> None:
    write_corpus(tmp_path / "digits", [(f"{n}.wav", "One", f"speaker{n % 2}") for n in range(6)])
    digits = Corpus("digits", verbatim=True, weight=1.0, join=2)
    joined = list(utterances(tmp_path, digits, 1.0, 1, NO_WORDS))
    assert sorted(u.text for u in joined) == ["one", "one", "one one", "one one"]
    assert all(len(u.audio) >= 8000 * len(u.text.split()) for u in joined)


def test_half_of_the_coffee_orders_stay_out(tmp_path: Path) -> None:
    write_corpus(tmp_path / "coffee-a", [(f"{n}.wav", "{}", "") for n in range(20)])
    coffee = Corpus("coffee-a", verbatim=False, weight=1.0)
    used = list(utterances(tmp_path, coffee, 1.0, 1, NO_WORDS))
    held_out = [n for n in range(20) if is_held_out(Path(f"{n}.wav"))]
    assert len(used) + len(held_out) == 20
    assert len(used) > 3
    assert all(u.text == "" for u in used)


def test_faster_is_shorter(tmp_path: Path) -> None:
    write_corpus(tmp_path / "ljspeech", [("a.wav", "Hello, St. Paul", ""), ("b.wav", "hello", "")])
    corpus = Corpus("ljspeech", verbatim=True, weight=1.0)
    for speed in (0.8, 1.25):
        plain, shifted = (list(utterances(tmp_path, corpus, s, 1, NO_WORDS)) for s in (1.0, speed))
        assert [u.text for u in plain] == ["", "hello"]
        assert len(shifted[0].audio) - len(plain[0].audio) == pytest.approx(
            8000 / speed - 8000, abs=2
        )


def test_words_that_were_written_down_take_the_place_of_a_transcript(tmp_path: Path) -> None:
    write_corpus(tmp_path / "coffee-a", [(f"{n}.wav", "{}", "") for n in range(20)])
    used = [n for n in range(20) if not is_held_out(Path(f"{n}.wav"))]
    words = Transcripts(tmp_path / "words" / "coffee-a.tsv")
    words.add({f"{used[0]}.wav": "Mr. Brown's coffee", f"{used[1]}.wav": ""})
    corpus = Corpus("coffee-a", verbatim=False, weight=1.0)
    texts = [u.text for u in utterances(tmp_path, corpus, 1.0, 1, words)]
    assert sorted(texts) == [*[""] * (len(used) - 1), "mister brown's coffee"]


def test_labels_are_spelled_as_words_or_left_to_the_teacher(tmp_path: Path) -> None:
    rows = [("a.wav", "heycomputer", ""), ("b.wav", "noise", ""), ("c.wav", "athena", "")]
    write_corpus(tmp_path / "wake", rows)
    spelled = {"heycomputer": "hey computer", "noise": ""}
    corpus = Corpus("wake", verbatim=True, weight=1.0, spelled=spelled)
    texts = [u.text for u in utterances(tmp_path, corpus, 1.0, 1, NO_WORDS)]
    assert texts == ["hey computer", "", "athena"]
