from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from training.data import BatchStream, DataOptions, teacher_statistics
from training.reader import TeacherReader
from training.shards import Utterance, list_shards, write_shard, write_teacher
from training.student import StudentConfig
from training.trainer import Schedule, Trainer

TINY = StudentConfig(vocab_size=48, dim=16, heads=2, inner=1, joiner_dim=16, teacher_dim=8)


@pytest.fixture
def options(tiny_pieces: Path, tmp_path: Path) -> DataOptions:
    shards, rng = tmp_path / "shards", np.random.default_rng(1)
    texts = ("turn on the lamp", "close the door", "", "set the timer please")
    spoken = [
        Utterance(
            text, "digits", "voice", rng.integers(-3000, 3000, 8000 + 999 * n).astype(np.int16)
        )
        for n, text in enumerate(texts)
    ]
    write_shard(shards / "rec-test", spoken)
    (shard,) = list_shards(shards)
    answers = [
        (rng.standard_normal((len(u.audio) // 640 + 1, 8)).astype(np.float16), "open")
        for u in spoken
    ]
    write_teacher(shard, answers)
    return DataOptions(shards, tmp_path / "no-speech", tiny_pieces, seconds=3.0, noise_share=0.3)


def new_trainer(options: DataOptions, reader: TeacherReader | None = None) -> Trainer:
    torch.manual_seed(1)
    statistics = teacher_statistics(list_shards(options.shards))
    schedule = Schedule(hours=1.0, transducer_from=-10.0, warm_up_steps=1)
    return Trainer(TINY, schedule, statistics, "cpu", reader)


def test_batches_are_seeded_and_consistent(options: DataOptions) -> None:
    first, second = (next(iter(BatchStream(options))) for _ in range(2))
    for one, other in zip(first, second, strict=True):
        assert torch.equal(one, other) if isinstance(one, torch.Tensor) else one == other
    assert first.features.shape[2] == 80
    assert (first.label_lengths <= first.labels.shape[1]).all()
    frames = (first.features.shape[1] - 15) // 4 + 1
    assert int(first.frames.max()) <= frames


def test_a_student_learns_and_resumes(options: DataOptions, tmp_path: Path) -> None:
    trainer, batch = new_trainer(options), next(iter(BatchStream(options)))
    losses = [trainer.train_step(batch) for _ in range(40)]
    for name in ("teacher", "ctc", "transducer"):
        assert losses[-1][name] < losses[0][name], name

    trainer.save(tmp_path / "last.pt")
    resumed = new_trainer(options)
    resumed.load(tmp_path / "last.pt")
    assert (resumed.step, resumed.hours) == (trainer.step, trainer.hours)
    assert not resumed.knows_words
    assert resumed.train_step(batch) == pytest.approx(trainer.train_step(batch), rel=1e-4)


def test_it_learns_what_the_teacher_would_write(
    options: DataOptions, reader: TeacherReader
) -> None:
    trainer, batch = new_trainer(options, reader), next(iter(BatchStream(options)))
    losses = [trainer.train_step(batch)["reading"] for _ in range(40)]
    assert losses[-1] < 0.8 * losses[0]


def test_labels_move_the_encoder_only_where_the_teacher_misheard(
    options: DataOptions, reader: TeacherReader
) -> None:
    trainer = new_trainer(options, reader)
    batch = next(iter(BatchStream(replace(options, noise_share=0, splice_share=0))))
    for understood in (torch.ones_like(batch.understood), torch.zeros_like(batch.understood)):
        losses = trainer._losses(batch._replace(understood=understood))
        (losses["ctc"] + losses["transducer"]).backward()
        moved = [p.grad for p in trainer.student.encoder.parameters() if p.grad is not None]
        assert any(grad.any() for grad in moved) != bool(understood.all())
        trainer.student.zero_grad()


def test_the_teacher_understood_what_it_wrote_about_as_it_was_said(options: DataOptions) -> None:
    (shard,) = list_shards(options.shards)
    heard = ("turn on the lamp", "open the window", "", "set the timer pleas")
    write_teacher(shard, [(shard.features(i), text) for i, text in enumerate(heard)])
    batches = iter(BatchStream(replace(options, noise_share=0, splice_share=0)))
    understood = torch.cat([next(batches).understood for _ in range(20)])
    assert understood.any()
    assert not understood.all()


def test_what_began_with_weights_of_another_run_knows_words(
    options: DataOptions, tmp_path: Path
) -> None:
    first, second, resumed = (new_trainer(options) for _ in range(3))
    first.save(tmp_path / "other.pt")
    second.start_from(tmp_path / "other.pt")
    second.save(tmp_path / "last.pt")
    resumed.load(tmp_path / "last.pt")
    assert resumed.knows_words


def test_peers_draw_other_batches(options: DataOptions) -> None:
    first, second = (next(iter(BatchStream(options, rank=rank, ranks=2))) for rank in range(2))
    assert not torch.equal(first.features[:, :50], second.features[:, :50])


def test_heads_are_fitted_alone(options: DataOptions) -> None:
    trainer, batch = new_trainer(options), next(iter(BatchStream(options)))
    before = {name: weight.clone() for name, weight in trainer.student.state_dict().items()}
    losses = [trainer.fit_heads([batch] * 5), trainer.fit_heads([batch] * 20)]
    assert losses[1] < losses[0]
    moved = {n for n, weight in trainer.student.state_dict().items() if not weight.equal(before[n])}
    assert {name.split(".")[0] for name in moved} == {"ctc", "teacher"}


def test_heads_learn_nothing_from_noise_alone(options: DataOptions) -> None:
    trainer, noise = new_trainer(options), next(iter(BatchStream(replace(options, noise_share=1))))
    before = trainer.student.ctc.weight.clone()
    trainer.fit_heads([noise])
    assert trainer.student.ctc.weight.equal(before)


def test_a_batch_of_noise_before_the_transducer_loss_ends_no_run(options: DataOptions) -> None:
    noise = next(iter(BatchStream(replace(options, noise_share=1))))
    statistics = teacher_statistics(list_shards(options.shards))
    trainer = Trainer(TINY, Schedule(hours=1.0, transducer_from=0.5), statistics, "cpu")
    assert trainer.train_step(noise) == {}
    assert trainer.step == 1
    assert trainer.hours > 0


def test_speech_of_which_nothing_is_known_is_no_noise(options: DataOptions) -> None:
    unknown = [Utterance("", "digits", "voice", np.full(8000, n, np.int16)) for n in range(50)]
    write_shard(options.shards / "rec-untaught", unknown)
    batches = iter(BatchStream(replace(options, untaught=True, noise_share=0, splice_share=0)))
    for batch in (next(batches) for _ in range(10)):
        assert ((batch.label_lengths > 0) | (batch.teacher_lengths > 0)).all()


def test_the_learning_rate_rises_stays_and_falls() -> None:
    schedule = Schedule(hours=100.0, decay_from=0.6)
    rates = [
        schedule.learning_rate(*at) for at in ((0, 0.0), (5000, 50.0), (9000, 80.0), (9999, 100.0))
    ]
    assert rates[0] < 0.01
    assert rates[1] == 1
    assert rates[2] == pytest.approx(0.51)
    assert rates[3] == pytest.approx(0.01)


def test_the_transducer_joins_late_and_slowly() -> None:
    schedule = Schedule(hours=100.0, transducer_from=30.0)
    weights = [schedule.transducer_weight(hours) for hours in (0.0, 29.9, 32.0, 60.0)]
    assert weights[:2] == [0, 0]
    assert 0 < weights[2] < weights[3] == schedule.transducer_weight(100.0)
