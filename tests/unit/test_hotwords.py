from pathlib import Path

import pytest

from wyoming_stt.decoding.options import Hotword
from wyoming_stt.errors import SettingsError
from wyoming_stt.hotwords import MAX_FILE_BYTES, parse_hotwords, read_hotwords


def test_a_list_is_separated_by_commas() -> None:
    assert read_hotwords("turn on, kitchen :2.5,,") == (Hotword("turn on"), Hotword("kitchen", 2.5))


def test_a_file_has_one_phrase_a_line(tmp_path: Path) -> None:
    file = tmp_path / "names.txt"
    file.write_bytes("\ufeff# names of the house\nstue, nord\n\nkjøkken :-1\n".encode())
    assert read_hotwords(str(file)) == (Hotword("stue, nord"), Hotword("kjøkken", -1.0))


@pytest.mark.parametrize("phrase", ["what: ever", "12:30", "scene :one", ":2"])
def test_what_only_resembles_a_score_is_part_of_the_phrase(phrase: str) -> None:
    assert parse_hotwords([phrase]) == (Hotword(phrase),)


@pytest.mark.parametrize("value", ["names/absent", "absent.txt"])
def test_a_missing_file_is_not_taken_for_a_phrase(value: str) -> None:
    with pytest.raises(SettingsError, match="no file"):
        read_hotwords(value)


def test_a_score_that_is_no_number_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"'1\.2\.3' in 'lamp :1\.2\.3'"):
        parse_hotwords(["lamp :1.2.3"])


def test_a_file_that_is_no_list_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "model.onnx"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match="cannot read"):
        read_hotwords(str(file))
    file.write_bytes(b"x" * (MAX_FILE_BYTES + 1))
    with pytest.raises(SettingsError, match="larger than"):
        read_hotwords(str(file))
