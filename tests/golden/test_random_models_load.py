"""The random models are what they pretend to be, and notice when they are handled wrongly.

sherpa-onnx is the judge of the file formats. A plain decoding loop of our own, first shown to
write what sherpa-onnx writes, then makes each mistake on purpose: other tokens must come out.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import soundfile

from tests.support.onnx_models import (
    FAMILIES,
    OFFLINE_FAMILIES,
    STREAMING_FAMILIES,
    audio,
    build,
    damage,
    sherpa,
)
from tests.support.onnx_models.reference import Nets, States, features
from tests.support.shared import needs_shared, recordings
from wyoming_stt.decoding.options import SearchOptions
from wyoming_stt.models.registry import load_model

BABBLE = audio.speechlike(8.0)
FRAMES = len(BABBLE) // 640
LIVE = {"offline-zipformer2": 33, "offline-zipformer": 33, "offline-conformer": 35}
"""Lengths of which the subsampling drops no frame at the end."""


@pytest.mark.parametrize("family", FAMILIES)
def test_speaks_as_sherpa_onnx_hears_it(family: str, tmp_path: Path):
    folder = build(family, tmp_path)
    heard = tokens(folder, BABBLE)
    searched = tokens(folder, BABBLE, "modified_beam_search")
    assert 0.05 < len(heard) / FRAMES < 0.45
    assert len(set(heard)) >= 15
    assert len(set(searched)) >= 10
    assert searched != heard
    assert Nets(folder).decode(BABBLE) == heard


@pytest.mark.parametrize("family", FAMILIES)
def test_our_loader_takes_it_for_real(family: str, tmp_path: Path):
    recognizer = load_model(build(family, tmp_path), languages=["en"])
    stream = recognizer.open(SearchOptions())
    stream.push(BABBLE)
    found = stream.finish()
    pieces = Nets(tmp_path).pieces
    # Of a streaming model's end sherpa-onnx must be shown more silence than our tail has.
    silence = np.zeros(16_000 if family in STREAMING_FAMILIES else 0, np.float32)
    heard = tokens(tmp_path, np.concatenate([BABBLE, silence]))
    assert [pieces[token] for token in found.token_ids] == heard[: len(found.token_ids)]
    assert len(found.token_ids) > len(heard) - 3


@needs_shared
@pytest.mark.model
@pytest.mark.parametrize("int8", [False, True], ids=["fp32", "int8"])
@pytest.mark.parametrize("family", FAMILIES)
def test_speaks_on_real_speech(family: str, int8: bool, tmp_path: Path):
    folder = build(family, tmp_path, int8=int8)
    for recording in recordings("librispeech-other-a", 2):
        samples, _ = soundfile.read(recording.path, dtype="float32")
        heard = tokens(folder, samples, suffix=".int8.onnx" if int8 else ".onnx")
        assert 0.05 < len(heard) * 640 / len(samples) < 0.45
        assert len(set(heard)) >= 15


@pytest.mark.parametrize("family", FAMILIES)
def test_is_silent_in_silence(family: str, tmp_path: Path):
    folder = build(family, tmp_path)
    assert tokens(folder, np.zeros(32_000, np.float32)) == []


@pytest.mark.parametrize("family", FAMILIES)
def test_streams_in_a_batch_do_not_disturb_each_other(family: str, tmp_path: Path):
    folder = build(family, tmp_path)
    sounds = [audio.speechlike(seconds, seed=7) for seconds in (2.0, 3.1, 2.6)]
    together = sherpa.decode(folder, sounds)
    assert [one.tokens for one in together] == [tokens(folder, sound) for sound in sounds]


@pytest.mark.parametrize("family", FAMILIES)
def test_fixed_batch_still_loads(family: str, tmp_path: Path):
    folder = build(family, tmp_path, dynamic_batch=False)
    x = ort.InferenceSession(folder / "encoder.onnx").get_inputs()[0]
    assert x.shape[0] == 1
    assert Nets(folder).decode(BABBLE) == tokens(folder, BABBLE)


@pytest.mark.parametrize("family", FAMILIES)
def test_writes_characters_in_two_bytes(family: str, tmp_path: Path):
    folder = build(family, tmp_path, bytes_fallback=True)
    [heard] = sherpa.decode(folder, [BABBLE])
    text = heard.text.rstrip("\ufffd")
    assert any(ord(character) > 0x7F for character in text)
    assert "\ufffd" not in text


@pytest.mark.parametrize("family", STREAMING_FAMILIES)
def test_every_state_counts(family: str, tmp_path: Path):
    nets = Nets(build(family, tmp_path))
    sound = BABBLE[:64_000]
    truth = nets.decode(sound)

    def decode(handle: Callable[[States], States]) -> list[str]:
        return nets.decode(sound, handle)

    assert decode(lambda states: states) == truth
    assert decode(lambda _: nets.zeros()) != truth, "nothing carried"
    for name, shape in nets.returned.items():
        assert decode(lambda states, name=name: states | {name: nets.zeros()[name]}) != truth, name
        for other in nets.returned:
            if name < other and nets.returned[other] == shape:
                swap = {name: other, other: name}
                swapped = decode(lambda states, swap=swap: _renamed(states, swap))
                assert swapped != truth, f"{name} for {other}"


@pytest.mark.parametrize("family", STREAMING_FAMILIES)
def test_every_wrong_step_shows(family: str, tmp_path: Path):
    nets = Nets(build(family, tmp_path))
    truth = nets.decode(BABBLE)
    for step in (nets.chunk - 1, nets.chunk + 1, nets.window):
        assert nets.decode(BABBLE, step=step) != truth, step


def test_a_count_in_other_units_shows(tmp_path: Path):
    nets = Nets(build("conformer", tmp_path))
    truth = nets.decode(BABBLE)
    assert nets.decode(BABBLE, units=4) != truth
    assert nets.decode(BABBLE, units=nets.chunk) != truth


@pytest.mark.parametrize("family", FAMILIES)
def test_every_feature_frame_counts(family: str, tmp_path: Path):
    nets = Nets(build(family, tmp_path))
    length = nets.window or LIVE[family]
    x = features(BABBLE)[None, 50 : 50 + length]
    whole = nets.encode(x)
    for frame in range(length):
        changed = x.copy()
        changed[0, frame] += 1.0
        assert np.abs(nets.encode(changed) - whole).max() > 1e-3, frame


@pytest.mark.parametrize("family", OFFLINE_FAMILIES)
def test_padding_changes_nothing_but_a_wrong_length_does(family: str, tmp_path: Path):
    nets = Nets(build(family, tmp_path))
    short, long = features(BABBLE[:20_000]), features(BABBLE)
    padded = np.full((2, *long.shape), np.log(1e-10), np.float32)
    padded[0, : len(short)], padded[1] = short, long
    alone = nets.encode(short[None])[0]
    batch, lengths = nets.encoder.run(
        None, {"x": padded, "x_lens": np.array([len(short), len(long)])}
    )
    assert lengths.tolist()[0] == len(alone)
    np.testing.assert_allclose(batch[0, : len(alone)], alone, atol=1e-4)
    wrong, _ = nets.encoder.run(None, {"x": padded, "x_lens": np.array([len(long), len(long)])})
    assert np.abs(wrong[0, : len(alone)] - alone).max() > 0.1


@pytest.mark.parametrize("family", STREAMING_FAMILIES)
def test_states_stay_bounded(family: str, tmp_path: Path):
    nets = Nets(build(family, tmp_path))
    chunks = np.random.default_rng(1).uniform(-16, 5, (50, 1, nets.window, 80)).astype(np.float32)
    states = nets.zeros()
    for count in range(2000):
        x = chunks[count % 50]
        if count % 100 > 80:
            x = np.full_like(x, 30.0)
        states = nets.step(x, states, count * nets.chunk)[1]
    floats = [value for value in states.values() if value.dtype == np.float32]
    assert max(np.abs(value).max() for value in floats) < 100


@pytest.mark.parametrize("family", FAMILIES)
def test_small_and_the_same_for_the_same_seed(family: str, tmp_path: Path):
    first, again, other = (
        build(family, tmp_path / name, seed=seed, int8=True)
        for name, seed in (("first", 1), ("again", 1), ("other", 2))
    )
    files = sorted(path.name for path in first.iterdir())
    assert len(files) == 7
    assert sum((first / name).stat().st_size for name in files) < 300_000
    assert all((first / name).read_bytes() == (again / name).read_bytes() for name in files)
    models = [name for name in files if name != "tokens.txt"]
    assert all((first / name).read_bytes() != (other / name).read_bytes() for name in models)
    for name in models:
        onnx.checker.check_model(first / name, full_check=True)
    for name in ("encoder.int8.onnx", "joiner.int8.onnx"):
        operators = {node.op_type for node in onnx.load(first / name).graph.node}
        assert "MatMulInteger" in operators
        assert "ConvInteger" not in operators


@pytest.mark.parametrize("size", [8, 500])
def test_vocabularies_of_other_sizes(size: int, tmp_path: Path):
    folder = build("zipformer2", tmp_path, vocab_size=size)
    lines = (folder / "tokens.txt").read_text(encoding="utf-8").splitlines()
    pieces = [line.split(" ")[0] for line in lines]
    assert pieces[:3] == ["<blk>", "<sos/eos>", "<unk>"]
    assert len(set(pieces)) == size
    assert 0.03 < len(tokens(folder, BABBLE)) / FRAMES < 0.5


@pytest.mark.parametrize("break_it", damage.BREAKS, ids=lambda function: function.__name__)
@pytest.mark.parametrize("family", ["zipformer2", "offline-conformer"])
def test_damage_is_done(family: str, break_it: Callable[[Path], None], tmp_path: Path):
    folder = build(family, tmp_path, int8=True)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    break_it(folder)
    after = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert before != after
    match break_it.__name__:
        case "break_truncated_encoder":
            for name in ("encoder.onnx", "encoder.int8.onnx"):
                with pytest.raises(Exception, match=r"(?i)protobuf|invalid"):
                    ort.InferenceSession(folder / name)
        case "break_missing_metadata":
            assert "vocab_size" not in metadata(folder / "decoder.int8.onnx")
            assert "context_size" in metadata(folder / "decoder.onnx")
        case "break_model_type":
            assert metadata(folder / "encoder.onnx")["model_type"] == "transformer"
        case "break_joiner_dim":
            with pytest.raises(Exception, match=r"(?i)dimension|shape"):
                Nets(folder).decode(BABBLE)
        case "break_missing_tokens":
            assert set(before) - set(after) == {"tokens.txt"}
        case "break_token_hole":
            assert after["tokens.txt"].count(b"\n") == before["tokens.txt"].count(b"\n") - 1


def test_metadata_that_is_not_there_cannot_be_taken(tmp_path: Path):
    with pytest.raises(KeyError):
        damage.break_missing_metadata(build("lstm", tmp_path), "no_such_key")


def tokens(
    folder: Path, sound: np.ndarray, method: str = "greedy_search", suffix: str = ".onnx"
) -> list[str]:
    return sherpa.decode(folder, [sound], method, suffix=suffix)[0].tokens


def metadata(path: Path) -> dict[str, str]:
    return {entry.key: entry.value for entry in onnx.load(path).metadata_props}


def _renamed(states: States, names: dict[str, str]) -> States:
    return {names.get(name, name): value for name, value in states.items()}
