"""What the files in docs/deploy must agree on with the program."""

from collections.abc import Mapping
from pathlib import Path

from typer.testing import CliRunner

from wyoming_stt.cli.main import app
from wyoming_stt.settings import Settings, load_settings
from wyoming_stt.sources import ENV_PREFIX, read_environment

FOLDER = Path(__file__).parents[2] / "docs" / "deploy"
LISTENS = "tcp://0.0.0.0:10300"


def settings_of(environment: Mapping[str, str]) -> Settings:
    """Read the settings as the server would; fails for a name or a value that it does not know."""
    assert all(isinstance(value, str) for value in environment.values())
    assert any(name.startswith(ENV_PREFIX) for name in environment)
    return load_settings(environment=read_environment(environment))


def is_a_command(words: list[str]) -> bool:
    """Tell whether the program takes these words, without doing what they say."""
    program, *arguments = words
    assert Path(program).name == "wyoming-stt"
    return CliRunner().invoke(app, [*arguments, "--help"]).exit_code == 0
