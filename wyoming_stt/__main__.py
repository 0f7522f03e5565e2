"""`python -m wyoming_stt`."""

from wyoming_stt.cli.main import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
