"""`python -m wyoming_stt`, which is also the program `wyoming-stt`."""

import sys

from wyoming_stt.cli.choices import DEFAULT_URI
from wyoming_stt.cli.probe import probe

__all__ = ["main"]


def main() -> None:
    """Run a command and exit.

    A health check as containers ask for it does the same without the library of the command line,
    which costs more than the check: see `cli/probe.py`.
    """
    match sys.argv[1:]:
        case ["health"]:
            sys.exit(probe(DEFAULT_URI))
        case ["health", "--uri", uri]:
            sys.exit(probe(uri))
    from wyoming_stt.cli.main import main as run  # noqa: PLC0415

    run()


if __name__ == "__main__":
    main()
