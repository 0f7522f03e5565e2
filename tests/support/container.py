"""The image, built and run without Docker: what `docker run` does of it, by the kernel's own means.

The image's file system lies under one that the container may change; processes, mounts and network
are its own. Environment and entry point are those that the build recorded.
"""

import json
import os
import re
import signal
import subprocess
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from tests.support.netns import Host

ROOT = Path(__file__).parents[2]
ENTER = ROOT / "tests" / "support" / "image" / "enter"
NAMESPACES = ("--mount", "--propagation", "private", "--pid", "--uts", "--ipc")
PATIENCE_S = 60.0
COLOUR = re.compile(r"\x1b\[[0-9;]*m")  # bashio's


class Image:
    """What scripts/build-image leaves."""

    def __init__(self, folder: Path) -> None:
        self.root = (folder / "root").resolve()
        known = json.loads((folder / "image.json").read_text())
        self.config = known["OCIv1"]["config"]
        self.health_check: list[str] = known["Docker"]["config"]["Healthcheck"]["Test"]
        self.environment = dict(item.split("=", 1) for item in self.config["Env"])


class Container:
    """A running image; `/data` is a folder of ours, the network is that of `host`."""

    def __init__(
        self,
        image: Image,
        host: Host,
        folder: Path,
        environment: Mapping[str, str],
        prepare: str = ":",
    ) -> None:
        """Start it. `prepare` is run by a shell in the container's mounts, before its root is."""
        self.image = image
        self.folder = folder
        self.data = folder / "data"
        self.log = ""
        self._grown = threading.Condition()
        variables = [f"{k}={v}" for k, v in (image.environment | dict(environment)).items()]
        script = f'scratch=$1 data=$2; shift 2\n{prepare}\nexec "$@"'
        (folder / "scratch").mkdir(exist_ok=True)
        self.data.mkdir(exist_ok=True)
        places = (str(folder / "scratch"), str(self.data))
        inside = (str(ENTER), str(image.root), *places, *image.config["Entrypoint"])
        self._unshare = host.start(
            *("env", "-i", *variables, "unshare", *NAMESPACES, "--fork", "--kill-child"),
            *("sh", "-euc", script, "sh", *places, *inside),
        )
        self._reader = threading.Thread(target=self._read, name="log of the container")
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._unshare.kill()
        self.wait()
        assert self._unshare.stdout is not None
        self._unshare.stdout.close()

    def wait_for(self, pattern: str, times: int = 1) -> re.Match[str]:
        """Wait until the log has so many matches; returns the last of them."""
        with self._grown:
            found = self._grown.wait_for(
                lambda: len(re.findall(pattern, self.log)) >= times or self._ended(), PATIENCE_S
            )
            matches = list(re.finditer(pattern, self.log))
        assert found, f"no {pattern!r} within {PATIENCE_S} s:\n{self.log}"
        assert len(matches) >= times, f"ended without {pattern!r}:\n{self.log}"
        return matches[-1]

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command inside, as `docker exec` does: as root, in the image's environment."""
        variables = [f"{k}={v}" for k, v in self.image.environment.items()]
        return subprocess.run(
            [
                *("nsenter", f"--target={self._first}", "--all", "--root"),
                *("env", "-i", "--chdir=/", *variables, *command),
            ],
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )

    def server(self) -> int:
        """Process id of the server, inside."""
        return int(self.shell("/command/s6-svstat -o pid /run/service/wyoming-stt"))

    def shell(self, script: str) -> str:
        done = self.run("sh", "-euc", script)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def stop(self) -> int:
        """End it as `docker stop` does; returns its exit code."""
        os.kill(self._first, signal.SIGTERM)
        return self.wait()

    def wait(self) -> int:
        """Wait for its end; returns its exit code."""
        code = self._unshare.wait(PATIENCE_S)
        self._reader.join(PATIENCE_S)
        return code

    def _read(self) -> None:
        assert self._unshare.stdout is not None
        for line in self._unshare.stdout:
            with self._grown:
                self.log += COLOUR.sub("", line)
                self._grown.notify_all()
        with self._grown:
            self._grown.notify_all()

    def _ended(self) -> bool:
        return self._unshare.poll() is not None

    @property
    def _first(self) -> int:
        """Process 1 of the container, as the machine counts."""
        parent = self._unshare.pid
        return int(Path(f"/proc/{parent}/task/{parent}/children").read_text().split()[0])
