"""All that is compared with others or with what was promised, in one go, as Markdown."""

import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version

from bench.servers import PEER, PEER_VERSION, servers
from bench.support import options
from wyoming_stt.hardware import detect

PROGRAMS = {
    "One stream": ("stream",),
    "Several streams": ("throughput",),
    "Satellites, audio ends with the last word": ("satellites",),
    "Satellites, audio ends as Home Assistant ends it": ("satellites", "--silence", "0.7"),
    "Memory": ("memory",),
    "Start": ("startup",),
    "The life of a model": ("lifecycle",),
}


def main() -> None:
    arguments = options(__doc__).parse_args()
    servers(arguments.model_dir)
    machine = detect()
    print(
        f"{datetime.now(UTC):%Y-%m-%d}; {machine.cores} cores ({', '.join(machine.features)}); "
        f"onnxruntime {version('onnxruntime')}; sherpa-onnx {version('sherpa-onnx')}; "
        f"{PEER} {PEER_VERSION}.\n",
        flush=True,
    )
    common = ["--model-dir", str(arguments.model_dir), "--recordings", str(arguments.recordings)]
    failed: list[str] = []
    for title, (program, *extra) in PROGRAMS.items():
        command = " ".join(("scripts/bench", program, *extra))
        print(f"### {title}\n\n`{command}`\n", flush=True)
        run = subprocess.run(
            [sys.executable, "-m", f"bench.{program}", *extra, *common], check=False
        )
        failed += [command] if run.returncode else []
    if failed:
        raise SystemExit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
