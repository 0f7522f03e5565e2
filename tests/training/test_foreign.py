from pathlib import Path

import numpy as np
import soundfile

from tests.support.shared import MODEL, needs_shared, recordings
from training.foreign import clips, write_corpus
from training.recordings import CORPORA, Corpus, read_audio, read_manifest, utterances
from training.shards import Shard, Utterance, write_shard
from training.teach import teach
from training.transcripts import Transcripts

HELD = {
    "asterisk/sounds/fr_CA_f_June/digits/1.wav": "asterisk-fr_CA_f_June",
    "games/fillets-ng/sound/gods/cs/b1-dlouho.ogg": "games-cs",
    "kajongg/voices/de/male1/s1.ogg": "kajongg-de-male1",
    "ktuberling/sounds/el/hat.wav": "ktuberling-el",
    "tuxpaint/stamps/animals/birds/owl_desc.ogg": "tuxpaint-",
    "tuxpaint/stamps/animals/birds/owl_desc_ro.ogg": "tuxpaint-_ro",
}
OTHERS = (
    "games/fillets-ng/music/rybky01.ogg",
    "qabcs/abcs/all/noises/dog.ogg",
    "tuxpaint/stamps/animals/birds/owl.ogg",
)


def unpacked(root: Path, seconds: dict[str, float]) -> Path:
    for name, length in seconds.items():
        path = root / "usr/share" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        kind = {"format": "WAV"} if path.suffix == ".ogg" else {}
        soundfile.write(path, np.full(int(22_050 * length), 0.1, np.float32), 22_050, **kind)
    return root


def test_voices_are_found_and_music_and_animals_are_not(tmp_path: Path) -> None:
    root = unpacked(tmp_path, dict.fromkeys([*HELD, *OTHERS], 0.5))
    found = {c.path.relative_to(root / "usr/share").as_posix(): c.voice for c in clips(root)}
    assert found == HELD


def test_words_and_sentences_become_corpora_of_their_own(tmp_path: Path) -> None:
    lengths = dict(zip(HELD, (0.1, 0.5, 2.9, 3.1, 15.0, 17.0), strict=True))
    root = unpacked(tmp_path / "root", lengths)
    broken = root / "usr/share/ktuberling/sounds/el/broken.wav"
    broken.write_bytes(b"no sound")
    found = list(clips(root))
    assert write_corpus(found, tmp_path / "words", words=True) == 2
    assert write_corpus(found, tmp_path / "sentences", words=False) == 2
    assert [r.speaker for r in read_manifest(tmp_path / "words")] == [
        "games-cs",
        "kajongg-de-male1",
    ]
    assert all(r.path.exists() for r in read_manifest(tmp_path / "sentences"))
    corpus = Corpus("words", verbatim=True, weight=1.0, join=4, wordless=True)
    heard = utterances(tmp_path, corpus, 1.0, 1, Transcripts(Path("/nowhere.tsv")))
    assert [u.text for u in heard] == ["", ""]


@needs_shared
def test_of_what_is_wordless_the_teacher_gives_frames_and_no_words(tmp_path: Path) -> None:
    name = next(corpus.name for corpus in CORPORA if corpus.wordless)
    (recording,) = recordings("ha-commands-tts-en", 1)
    audio = (read_audio(recording.path) * 32767).astype(np.int16)
    write_shard(tmp_path / "rec", [Utterance("", name, "", audio)])
    teach(tmp_path / "rec", MODEL)
    taught = Shard(tmp_path / "rec")
    assert len(taught.features(0)) > 10
    assert taught.heard(0) == ""
    assert taught.is_told(0)
