"""A program for a test: an engine on a model of one's own, with a fallback, in a control group.

Usage: python -m tests.support.limited_engine CGROUP_PROCS DATA_DIR MODEL BUILTIN [unchecked]
Prints what serves and why, as JSON lines: at first, and when the chosen model has come back.
"""

import asyncio
import json
import os
import sys
from pathlib import Path

from tests.support.engines import OPEN, eventually
from wyoming_stt.choice import choose
from wyoming_stt.engine import Engine, EngineOptions
from wyoming_stt.lifecycle import LifecycleOptions
from wyoming_stt.models.registry import load_model
from wyoming_stt.settings import ModelSettings, Settings
from wyoming_stt.store import ModelStore


async def main(data_dir: Path, model: Path, builtin: Path) -> None:
    settings = Settings(data_dir=data_dir, model=ModelSettings(dir=model))
    choice = choose(settings, ModelStore(data_dir), builtin)
    engine = Engine(
        choice.chosen,
        EngineOptions(workers=1),
        fallback=choice.fallback,
        lifecycle=LifecycleOptions(retry_s=0.2, retry_max_s=0.2),
    )
    await engine.ready()
    await tell(engine)
    await eventually(lambda: not engine.lifecycle.on_fallback)
    await tell(engine)
    await engine.close()


async def tell(engine: Engine) -> None:
    async with engine.open(OPEN) as lease:
        await lease.accept(bytes(32_000))
        answer = (await lease.finish())[-1]
        facts = {"model": lease.model, "answer": type(answer).__name__}
    print(json.dumps(facts | {"reason": engine.lifecycle.reason or ""}), flush=True)


if __name__ == "__main__":
    group, data_dir, model, builtin, *unchecked = map(Path, sys.argv[1:])
    group.write_text(str(os.getpid()))
    if unchecked:
        load_model(model, languages=["en"])
    else:
        asyncio.run(main(data_dir, model, builtin))
