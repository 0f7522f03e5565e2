"""Imports go down only; what lies below the engine knows no clock, thread, socket or variable."""

import ast
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "wyoming_stt"

LAYERS = (
    {"__init__", "types", "events", "errors", "ort", "graph_cache"},
    {"audio", "features", "decoding", "text", "transcript"},
    {"models"},
    {"session", "degrade"},
    {
        *("engine", "engine_options", "workers", "lease", "lifecycle"),
        *("lifecycle_options", "loading", "model_slot", "model_state"),
        *(
            "relief",
            "background",
            "backoff",
            "memory",
            "piece",
            "recording",
            "media_stream",
            "temporary_file",
            "pipe",
            "store",
        ),
        *("cgroup", "fitting", "kernel_files"),
    },
    {"observability"},
    {"jobs"},
    {"front"},
    {
        *("settings", "sources", "homeassistant", "profile", "hotwords", "log", "hardware"),
        *(
            "readiness",
            "data_folder",
            "accuracy",
            "quantize",
            "doors",
            "worker",
            "selection",
            "choice",
            "model_sources",
            "upgrade",
            "preflight",
            "administration",
            "app",
            "cli",
            "__main__",
        ),
    },
)
ENGINE = next(level for level, parts in enumerate(LAYERS) if "engine" in parts)

BELOW_THE_ENGINE_NEVER = {"asyncio", "threading", "concurrent", "time", "socket", "os", "random"}
DOORS_NEVER = ("wyoming_stt.models", "wyoming_stt.session", "threading", "concurrent")
ONLY_IMPORTER = {
    "onnxruntime": ("ort.py", "quantize.py"),
    "av": "audio/media.py",
    "zeroconf": "front/announce/",
    "prometheus_client": "observability/",
    **dict.fromkeys(("aiofiles", "redis", "taskiq", "taskiq_redis", "fsspec"), "jobs/"),
    **dict.fromkeys(("fastapi", "starlette", "uvicorn", "sse_starlette"), "front/http/"),
}
READS_THE_ENVIRONMENT = "sources.py"
QUIETS_A_LIBRARY = "__init__.py"
"""Must set a variable before anything is imported."""

TREES = {
    str(path.relative_to(PACKAGE)): ast.parse(path.read_text(encoding="utf-8"))
    for path in sorted(PACKAGE.rglob("*.py"))
}


def part_of(module: str) -> str:
    return Path(module).parts[0].removesuffix(".py")


def level_of(part: str) -> int:
    return next(level for level, parts in enumerate(LAYERS) if part in parts)


def imports() -> Iterator[tuple[str, str]]:
    """Each module with the full name of each thing that it imports anywhere."""
    for module, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                yield from ((module, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{module}: imports are absolute"
                yield from ((module, f"{node.module}.{alias.name}") for alias in node.names)


def test_every_part_has_a_layer() -> None:
    assert {part_of(module) for module in TREES} <= set().union(*LAYERS)


def test_imports_go_down_only() -> None:
    for module, name in imports():
        top, _, rest = name.partition(".")
        if top == "wyoming_stt":
            part = rest.split(".")[0].replace("__version__", "__init__")
            assert level_of(part) <= level_of(part_of(module)), f"{module} imports {name}"


def test_the_same_input_gives_the_same_events_below_the_engine() -> None:
    for module, name in imports():
        if level_of(part_of(module)) < ENGINE:
            top = name.split(".")[0]
            allowed = module == QUIETS_A_LIBRARY and top == "os"
            assert allowed or top not in BELOW_THE_ENGINE_NEVER, f"{module} imports {name}"


def test_doors_know_only_the_engine() -> None:
    for module, name in imports():
        if part_of(module) == "front":
            assert not f"{name}.".startswith(tuple(f"{n}." for n in DOORS_NEVER)), (
                f"{module} imports {name}"
            )


def test_doors_know_jobs_but_not_how_they_are_done() -> None:
    for module, name in imports():
        if part_of(module) == "front" and name.startswith("wyoming_stt.jobs"):
            assert name.startswith(("wyoming_stt.jobs.job.", "wyoming_stt.jobs.store.")), module


def test_heavy_libraries_have_one_importer() -> None:
    for module, name in imports():
        home = ONLY_IMPORTER.get(name.split(".")[0], "")
        assert module.startswith(home), f"{module} imports {name}"


def test_the_environment_is_read_in_one_place() -> None:
    for module, tree in TREES.items():
        attributes = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        allowed = module in {READS_THE_ENVIRONMENT, QUIETS_A_LIBRARY}
        assert allowed or not attributes & {"environ", "getenv"}, module


def test_third_party_imports_are_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    optional = project["optional-dependencies"]
    needed = [*project["dependencies"], *optional["redis"], *optional["fsspec"]]
    declared = " ".join(needed).replace("-", "_")
    packages = {"yaml": "pyyaml", "pydantic_core": "pydantic", "starlette": "fastapi"}
    for module, name in imports():
        top = name.split(".")[0]
        if top not in sys.stdlib_module_names and top != "wyoming_stt":
            assert packages.get(top, top) in declared, f"{module} imports {top}"
