import logging
import re
import sys
import warnings
from collections.abc import Iterator

import pytest

from wyoming_stt.log import LogSettings, configure


@pytest.fixture(autouse=True)
def restore_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.getLogger("asyncio").setLevel(logging.NOTSET)
    logging.captureWarnings(capture=False)


def test_records_go_to_standard_error_in_one_format(capsys: pytest.CaptureFixture[str]) -> None:
    configure(LogSettings())
    logging.getLogger("wyoming_stt.front").info("hello")
    logging.getLogger("wyoming_stt.front").debug("what was said")
    out, err = capsys.readouterr()
    assert out == ""
    assert err.rstrip().endswith("INFO    wyoming_stt.front: hello")


def test_in_the_app_records_look_as_those_of_other_apps(capsys: pytest.CaptureFixture[str]) -> None:
    configure(LogSettings(style="short"))
    logging.getLogger("wyoming_stt.front").warning("hello")
    assert re.fullmatch(r"\[\d\d:\d\d:\d\d\] WARNING: hello\n", capsys.readouterr().err)


def test_debug_shows_ours_but_not_the_event_loop(capsys: pytest.CaptureFixture[str]) -> None:
    configure(LogSettings("debug"))
    logging.getLogger("wyoming_stt").debug("ours")
    logging.getLogger("asyncio").debug("using selector")
    assert "using selector" not in (err := capsys.readouterr().err)
    assert "ours" in err


def test_warnings_of_libraries_are_logged(capsys: pytest.CaptureFixture[str]) -> None:
    configure(LogSettings())
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=True)
        warnings.warn("old", UserWarning, stacklevel=1)
    assert "old" in capsys.readouterr().err
    assert sys.stderr
