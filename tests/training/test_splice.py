import numpy as np
import pytest

from training.splice import FRAME_SAMPLES, Take, splice


def take(words: str, value: float, frames: int, cuts: list[tuple[int, int]]) -> Take:
    wave = np.full(frames * FRAME_SAMPLES, value, np.float32)
    teacher = np.full((frames, 2), value, np.float32) + np.arange(frames)[:, None]
    return Take(wave, teacher, words.split(), np.array(cuts).reshape(-1, 2))


HEAD = take("turn on the lamp", 0.1, 20, [(5, 1), (12, 3)])
TAIL = take("it was a dark night", 0.2, 30, [(8, 2), (20, 4)])


def test_words_frames_and_samples_stay_together() -> None:
    for seed in range(20):
        joint = splice(HEAD, TAIL, np.random.default_rng(seed), 100 * FRAME_SAMPLES)
        said = next(i for i, word in enumerate(joint.words) if word in TAIL.words)
        first = {1: 5, 3: 12}[said]
        second = {"a": 8, "night": 20}[joint.words[said]]
        assert joint.words == HEAD.words[:said] + TAIL.words[{8: 2, 20: 4}[second] :]
        assert len(joint.wave) == (first + 30 - second) * FRAME_SAMPLES
        assert len(joint.teacher) == first + 30 - second
        assert (joint.teacher[:first] == HEAD.teacher[:first]).all()
        assert (joint.teacher[first:] == TAIL.teacher[second:]).all()
        for frame, words in joint.cuts:
            assert 0 < frame < len(joint.teacher)
            assert 0 < words < len(joint.words)


def test_both_parts_are_as_loud_and_meet_in_silence() -> None:
    joint = splice(HEAD, TAIL, np.random.default_rng(1), 100 * FRAME_SAMPLES)
    assert joint.wave[0] == pytest.approx(joint.wave[-1], rel=1e-4)
    assert np.abs(joint.wave).min() == 0


def test_a_joint_can_go_on_as_a_third() -> None:
    rng, joint = np.random.default_rng(2), HEAD
    for _ in range(50):
        joint = splice(joint, TAIL, rng, 60 * FRAME_SAMPLES)
        assert len(joint.wave) <= 60 * FRAME_SAMPLES
        assert len(joint.teacher) * FRAME_SAMPLES == len(joint.wave)


def test_without_fitting_cuts_nothing_is_changed() -> None:
    uncut, rng = take("no", 0.1, 5, []), np.random.default_rng(1)
    assert splice(HEAD, uncut, rng, 100_000) is HEAD
    assert splice(uncut, HEAD, rng, 100_000) is uncut
    assert splice(HEAD, TAIL, rng, 10 * FRAME_SAMPLES) is HEAD


def test_what_one_half_lacks_of_the_teacher_both_lack() -> None:
    untaught = TAIL._replace(teacher=np.zeros((0, 0), np.float32))
    for head, tail in ((HEAD, untaught), (untaught, HEAD)):
        joint = splice(head, tail, np.random.default_rng(1), 100 * FRAME_SAMPLES)
        assert len(joint.teacher) == 0
        assert joint.words not in (head.words, tail.words)


def test_a_joint_is_understood_where_both_parts_are() -> None:
    understood = HEAD._replace(is_understood=True), TAIL._replace(is_understood=True)
    for head, tail, both in ((*understood, True), (understood[0], TAIL, False)):
        joint = splice(head, tail, np.random.default_rng(1), 100 * FRAME_SAMPLES)
        assert joint.is_understood == both
