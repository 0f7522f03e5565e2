from pathlib import Path

import numpy as np

from training.shards import Shard, Utterance, list_shards, write_cuts, write_shard, write_teacher


def test_what_is_written_is_read(tmp_path: Path) -> None:
    utterances = [
        Utterance(f"text {n}", "test", "voice", np.arange(n, dtype=np.int16)) for n in (5, 1, 9)
    ]
    write_shard(tmp_path / "rec-x1.0", utterances)
    (tmp_path / "half.part").mkdir()
    (tmp_path / "half.part" / "utterances.jsonl").write_text("")
    (shard,) = list_shards(tmp_path)
    assert all(shard.is_told(i) for i in range(3))
    assert [shard.rows[i]["text"] for i in range(3)] == ["text 5", "text 1", "text 9"]
    assert [len(shard.audio(i)) for i in range(3)] == [5, 1, 9]
    assert shard.audio(2).tolist() == list(range(9))
    assert list_shards(tmp_path, taught=True) == []

    answers = [(np.full((n, 4), n, np.float16), f"heard {n}") for n in (2, 1, 3)]
    write_cuts(shard, [[(2, 1)], [], []])
    assert Shard(shard.folder).is_cut
    write_teacher(shard, answers)
    taught = Shard(tmp_path / "rec-x1.0")
    assert taught.is_taught
    assert not taught.is_cut  # there may be words now where there were none
    assert [taught.heard(i) for i in range(3)] == ["heard 2", "heard 1", "heard 3"]
    assert taught.features(2).shape == (3, 4)
    assert (taught.features(0) == 2).all()
