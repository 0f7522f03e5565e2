"""Rewrite the parts of the docs that the code knows better: settings, help, errors, models.

Such a part lies between `<!-- begin: NAME -->` and `<!-- end -->`. Run by scripts/docs.
"""

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import asdict, is_dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

import yaml
from typer.testing import CliRunner

from wyoming_stt import errors
from wyoming_stt.cli.main import app
from wyoming_stt.front.http.errors import ErrorCode, HttpError
from wyoming_stt.selection import TIERS
from wyoming_stt.settings import Settings
from wyoming_stt.store import Catalog

__all__ = ["PAGES", "regenerate"]

ROOT: Final = Path(__file__).parents[1]
PAGES: Final = (ROOT / "README.md", ROOT / "DOCS.md", *sorted((ROOT / "docs").rglob("*.md")))

_PART = re.compile(r"(<!-- begin: (.+?) -->\n).*?(<!-- end -->)", re.DOTALL)


def regenerate(text: str) -> str:
    """Return the text with all its generated parts made anew."""
    return _PART.sub(lambda part: part[1] + _generate(part[2]) + part[3], text)


def main() -> None:
    """Rewrite all pages in place."""
    for page in PAGES:
        page.write_text(regenerate(page.read_text(encoding="utf-8")), encoding="utf-8")


def _generate(name: str) -> str:
    generators: dict[str, Callable[[], str]] = {
        "settings": _settings,
        "error codes": _error_codes,
        "http errors": _http_errors,
        "models": _models,
        "tiers": _tiers,
    }
    command = name.removeprefix("help ")
    return _help(command) if command != name else generators[name]()


def _help(command: str) -> str:
    result = CliRunner().invoke(
        app, [*command.split(), "--help"], prog_name="wyoming-stt", env={"COLUMNS": "80"}
    )
    if result.exit_code != 0:
        raise RuntimeError(f"no help for {command!r}: {result.output}")
    return f"```text\n{result.output.strip()}\n```\n"


def _settings() -> str:
    lines = ["| Setting | Default | Meaning |", "| --- | --- | --- |"]
    for name, default, meaning in _leaves(Settings(), ""):
        lines.append(f"| `{name}` | {_cell(default)} | {meaning} |")
    return "\n".join(lines) + "\n"


def _leaves(options: object, prefix: str) -> Iterator[tuple[str, object, str]]:
    """Each setting with its default and the docstring beneath it, in the order of declaration."""
    meanings = _attribute_docstrings(type(options))
    names = Settings.model_fields if isinstance(options, Settings) else options.__annotations__
    for name in names:
        value = getattr(options, name)
        if is_dataclass(value):
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value, meanings.get(name, "")


def _attribute_docstrings(cls: type) -> dict[str, str]:
    body = ast.parse(textwrap.dedent(inspect.getsource(cls))).body[0].body
    return {
        field.target.id: " ".join(inspect.cleandoc(doc.value.value).split())
        for field, doc in pairwise(body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(doc, ast.Expr)
        and isinstance(doc.value, ast.Constant)
    }


def _cell(default: object) -> str:
    if default in {None, ""} or default == ():
        return ""
    if isinstance(default, tuple):
        default = [asdict(item) if is_dataclass(item) else item for item in default]
    text = yaml.safe_dump(default, default_flow_style=True, sort_keys=False, width=10_000)
    return "`" + text.removesuffix("...\n").strip() + "`"


def _error_codes() -> str:
    lines = ["| Code | Meaning |", "| --- | --- |"]
    for error in (getattr(errors, name) for name in errors.__all__):
        if error is errors.SettingsError:
            continue  # ends the start; no client ever meets it
        lines.append(f"| `{error.code}` | {inspect.getdoc(error)} |")
    return "\n".join(lines) + "\n"


def _http_errors() -> str:
    lines = ["| Status | Code | Such as |", "| ---: | --- | --- |"]
    for code in sorted(ErrorCode, key=lambda code: code.status):
        retry = "; has `retry_after_ms`" if HttpError(code).retry_after_ms else ""
        lines.append(f"| {code.status} | `{code}` | {code.example}{retry} |")
    return "\n".join(lines) + "\n"


def _models() -> str:
    lines = [
        "| Model | What it understands | Download | Conditions |",
        "| --- | --- | ---: | --- |",
    ]
    for spec in Catalog.read():
        size = f"{spec.download_bytes / 1e6:.0f} MB" if spec.download_bytes else ""
        lines.append(f"| `{spec.id}` | {spec.title} | {size} | {spec.conditions or ''} |")
    return "\n".join(lines) + "\n"


def _tiers() -> str:
    lines = ["| Machine, or as fast | Speed of models, best first |", "| --- | --- |"]
    speeds = ((tier.name, ", ".join(tier.speeds) or "the built-in model only") for tier in TIERS)
    lines += [f"| {name} | {which} |" for name, which in speeds]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
