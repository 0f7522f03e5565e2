import io
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.training.test_propack import pack
from training.adventures import (
    RATE,
    Line,
    amazon_queen,
    drascula,
    steel_sky,
    write_recordings,
)
from training.recordings import Corpus, utterances
from training.transcripts import Transcripts


def test_the_amazon_queen_keeps_mp3_behind_a_table(tmp_path: Path) -> None:
    tone = np.sin(np.arange(RATE) * 0.2).astype(np.float32) / 2
    mp3 = io.BytesIO()
    soundfile.write(mp3, tone, RATE, format="MP3")
    files = [("JOE00001.SB", mp3.getvalue()), ("ROOM.PCX", b"picture")]
    start, table, data = 15 + 21 * len(files), b"", b""
    for name, content in files:
        table += struct.pack(">12sBII", name.encode(), 1, start + len(data), len(content))
        data += content
    header = b"QTBLCEM10\0\0\0\1" + struct.pack(">H", len(files))
    (tmp_path / "queen.1c").write_bytes(header + table + data)
    (line,) = amazon_queen(tmp_path)
    assert line.name == "JOE00001"
    assert len(line.audio) == pytest.approx(RATE, abs=3000)  # MP3 comes in frames
    assert np.abs(line.audio).max() == pytest.approx(0.5, abs=0.1)


def test_another_file_is_no_amazon_queen(tmp_path: Path) -> None:
    (tmp_path / "queen.1c").write_bytes(b"something else")
    with pytest.raises(ValueError, match="no archive of this game"):
        list(amazon_queen(tmp_path))


def test_the_steel_sky_packs_its_speech(tmp_path: Path) -> None:
    packed, bytes_said = pack([[(b"\x80\xc0\x40", 2, 30), (b"\x80", 0, 0)]])
    files = {50001: bytes(22) + packed, 200: bytes(22) + packed, 50002: bytes(60)}
    table, data = len(files).to_bytes(4, "little"), b""
    for number, content in files.items():
        place = 1 << 23 | len(data) >> 4
        table += struct.pack("<H", number) + place.to_bytes(3, "little")
        table += len(content).to_bytes(3, "little")
        data += content + bytes(-len(content) % 16)
    (tmp_path / "sky.dnr").write_bytes(table)
    (tmp_path / "sky.dsk").write_bytes(data)
    (line,) = steel_sky(tmp_path)
    assert line.name == "50001"
    assert line.audio.tolist() == [byte / 128 - 1 for byte in bytes_said]


def test_dracula_has_a_file_a_line(tmp_path: Path) -> None:
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "12.ALS").write_bytes(bytes(32) + b"\x80\xc0")
    assert [(line.name, line.audio.tolist()) for line in drascula(tmp_path)] == [("12", [0, 0.5])]


def test_lines_become_a_corpus_without_its_groans(tmp_path: Path) -> None:
    lines = [Line("groan", np.zeros(RATE // 4)), Line("word", np.full(RATE, 0.25))]
    assert write_recordings(lines, tmp_path / "drascula") == 1
    corpus, nobody = Corpus("drascula", verbatim=False, weight=1.0), Transcripts(tmp_path / "none")
    (said,) = utterances(tmp_path, corpus, 1.0, 1, nobody)
    assert said.text == ""
    assert len(said.audio) == pytest.approx(16000 * 1.5, abs=6000)
