from wyoming_stt.events import Word
from wyoming_stt.text.captions import MAX_CHARACTERS, MAX_CUE_S, Cue, cues, srt, vtt
from wyoming_stt.types import SAMPLE_RATE


def word(text: str, start_s: float, end_s: float) -> Word:
    return Word(text, round(start_s * SAMPLE_RATE), round(end_s * SAMPLE_RATE), 0.9)


def test_a_pause_begins_a_new_cue() -> None:
    words = [word("turn", 0, 0.3), word("on", 0.4, 0.5), word("please", 2.0, 2.4)]
    assert [cue.text for cue in cues(words)] == ["turn on", "please"]


def test_a_cue_fits_on_the_screen() -> None:
    words = [word("abcdefghi", n * 0.2, n * 0.2 + 0.1) for n in range(50)]
    shown = cues(words)
    assert max(len(cue.text) for cue in shown) <= MAX_CHARACTERS
    assert max(cue.end - cue.start for cue in shown) <= MAX_CUE_S * SAMPLE_RATE
    assert " ".join(cue.text for cue in shown) == " ".join(word.text for word in words)


def test_one_word_longer_than_the_screen_is_a_cue_of_its_own() -> None:
    assert len(cues([word("x" * 200, 0, 1), word("y", 1, 2)])) == 2


def test_subrip() -> None:
    late = (3600 + 62) * SAMPLE_RATE + 8
    assert srt([Cue(0, 16_800, "turn on"), Cue(late, late + 16_000, "please")]) == (
        "1\n00:00:00,000 --> 00:00:01,050\nturn on\n\n2\n01:01:02,000 --> 01:01:03,000\nplease"
    )


def test_webvtt() -> None:
    assert vtt([Cue(0, 16_800, "turn on")]) == "WEBVTT\n\n00:00:00.000 --> 00:00:01.050\nturn on"


def test_silence_is_an_empty_file() -> None:
    assert srt(cues([])) == ""
    assert vtt(cues([])) == "WEBVTT"
