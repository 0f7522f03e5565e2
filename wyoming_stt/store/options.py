"""Options of the model store."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

__all__ = ["StoreOptions"]


@dataclass(frozen=True, slots=True)
class StoreOptions:
    """How models are downloaded and kept."""

    offline: bool = False
    """Never touch the network; what is not installed stays absent."""
    mirrors: tuple[str, ...] = ()
    """Addresses to try before the published ones, as `https://huggingface.co=https://my.mirror`:
    what stands before `=` is replaced at the start of an address by what stands after it."""
    attempts: int = 5
    """Tries an address gets without the download getting ahead."""
    backoff_s: float = 1.0
    """Wait before the second try; it doubles with each, with a random part, up to a minute."""
    connect_timeout_s: float = 10.0
    """Longest wait for a connection."""
    stall_timeout_s: float = 30.0
    """Longest time in which a server may send next to nothing."""
    lock_timeout_s: float = 3600.0
    """Longest wait for another process that works on the same model."""

    def __post_init__(self) -> None:
        for mirror in self.mirrors:
            if len(mirror.split("=")) != 2:  # noqa: PLR2004
                raise ValueError(f"{mirror!r}: expected FROM=TO, two beginnings of addresses")
        for name in ("backoff_s", "connect_timeout_s", "stall_timeout_s", "lock_timeout_s"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be positive")
        if self.attempts < 1:
            raise ValueError("attempts must be at least 1")

    def addresses(self, published: Sequence[str]) -> Iterator[str]:
        """Return where to look for a file, mirrors first."""
        for url in published:
            for mirror in self.mirrors:
                original, replacement = mirror.split("=")
                if url.startswith(original):
                    yield replacement + url.removeprefix(original)
        yield from published
