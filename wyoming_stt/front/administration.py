"""What a door may tell of the machine and its models, and do with them, on behalf of its owner."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

__all__ = ["Administration", "Capabilities", "KnownModel"]


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A model on this machine, loaded or not; None where only its files would tell."""

    id: str
    languages: tuple[str, ...]
    family: str | None = None
    version: str | None = None
    source: str | None = None
    """Where it came from: an address, a folder, or the package."""
    installed: bool = True
    """False: it is chosen, and not here yet, or not any more."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What the machine can do, and what suits it."""

    hardware: Mapping[str, object]
    """Facts by name, JSON in kind."""
    providers: Sequence[str]
    """onnxruntime's execution providers."""
    families: Sequence[str]
    """Kinds of models that can be read."""
    tier: str
    recommended: str
    """Id of the model that suits the machine and the language best."""
    reason: str
    """One sentence."""
    rejected: Mapping[str, str]
    """Other models of the language, each with why not."""
    chosen: str
    chosen_reason: str
    fallback: str | None
    wanted: str | None
    """What is to be fetched in the background, as long as it is not here."""


class Administration(Protocol):
    """What the composition root lets a door do."""

    def models(self) -> Sequence[KnownModel]:
        """Return the models that can be activated."""
        ...

    def capabilities(self) -> Capabilities:
        """Look at the machine."""
        ...

    async def activate(self, model: str) -> None:
        """Load a model and let it serve from now on; utterances that began keep theirs.

        Raises:
            UnknownModelError: there is none of that name.
            ModelError: it cannot be used; what served before goes on.
        """
        ...

    async def unload(self, model: str) -> None:
        """Free the memory of a model, as soon as nobody uses it; the next utterance loads it.

        Raises:
            UnknownModelError: there is none of that name.
        """
        ...

    async def reload(self) -> None:
        """Choose as at the start, from the settings and what is installed now, and activate it.

        Raises:
            ModelError: as `activate`.
        """
        ...
