from pathlib import Path

import numpy as np
import pytest
import sentencepiece
import torch

from training import cut
from training.cut import find_cuts, main, quiet_cuts
from training.shards import Shard, Utterance, list_shards, write_shard
from training.splice import FRAME_SAMPLES
from training.student import Student, StudentConfig
from training.workspace import Workspace

TINY = StudentConfig(vocab_size=48, dim=16, heads=2, inner=1, joiner_dim=16, teacher_dim=4)


def wave(loudness: str) -> np.ndarray:
    """One letter a frame: `-` is quiet, `#` loud."""
    frames = [0.001 if letter == "-" else 0.3 for letter in loudness]
    noise = np.random.default_rng(1).standard_normal(len(frames) * FRAME_SAMPLES)
    return (np.repeat(frames, FRAME_SAMPLES) * noise).astype(np.float32)


def test_cuts_are_where_it_is_quiet_between_two_words() -> None:
    # Labels at frames 2, 3 (a word of two), 8 (a word), 12 (a word behind no pause).
    path = np.array([0, 0, 1, 2, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4])
    assert quiet_cuts(wave("-####--#########"), path, [0, 2, 3]) == [(6, 1)]
    assert quiet_cuts(wave("-###############"), path, [0, 2, 3]) == []
    assert quiet_cuts(wave("-####--###--####"), path, [0, 2, 3]) == [(6, 1), (11, 2)]


def test_cuts_rise_even_where_labels_crowd() -> None:
    path = np.array([0, 1, 2, 3, 4, 4, 4, 4])
    frames = [frame for frame, _ in quiet_cuts(wave("-" * 8), path, [0, 1, 2, 3])]
    assert frames == sorted(set(frames))


@pytest.fixture
def shard(tmp_path: Path) -> Shard:
    rng = np.random.default_rng(1)
    spoken = [
        Utterance(text, "digits", "v", rng.integers(-3000, 3000, 9000 + 700 * n).astype(np.int16))
        for n, text in enumerate(("turn on the lamp", "close", "", "set the door in the kitchen"))
    ]
    write_shard(tmp_path / "work" / "shards" / "rec-test", spoken)
    return Shard(tmp_path / "work" / "shards" / "rec-test")


def test_a_student_cuts_what_has_words(
    shard: Shard, tiny_pieces: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cut, "QUIET", 10.0)  # anywhere, then
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(tiny_pieces))
    found = find_cuts(Student(TINY).eval(), pieces, shard)
    assert found[1:3] == [[], []]
    for index in (0, 3):
        frames, words = zip(*found[index], strict=True)
        assert 0 < min(frames) <= max(frames) <= len(shard.audio(index)) // FRAME_SAMPLES
        assert list(words) == sorted(set(words))
        assert max(words) < len(shard.rows[index]["text"].split())


def test_the_stage_cuts_what_is_not_cut_yet(
    shard: Shard, tiny_pieces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = Workspace.of(tmp_path / "work")
    work.bpe_model.write_bytes(tiny_pieces.read_bytes())
    state = {"config": TINY.to_dict(), "average": Student(TINY).state_dict()}
    torch.save(state, work.checkpoints / "last.pt")
    assert not shard.is_cut
    monkeypatch.setattr("sys.argv", ["cut", "--work", str(work.root)])
    main()
    (found,) = list_shards(work.shards)
    assert found.is_cut
    assert found.cuts(2).shape == (0, 2)
    written = (found.folder / "cuts.jsonl").stat().st_mtime_ns
    main()
    assert (found.folder / "cuts.jsonl").stat().st_mtime_ns == written
