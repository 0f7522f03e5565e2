"""What every door says of the model it serves, also while there is none yet."""

from dataclasses import dataclass

from wyoming_stt.engine import Engine

__all__ = ["ServedModel"]


@dataclass(frozen=True, slots=True)
class ServedModel:
    """What a client must know of the model; before it is loaded, what the settings promise."""

    name: str
    languages: tuple[str, ...]
    """Plain codes. Home Assistant reads them once and compares them letter by letter."""

    @classmethod
    def of(cls, engine: Engine, promised: "ServedModel") -> "ServedModel":
        """Describe the loaded model, or what was promised until it is."""
        info = engine.info
        return promised if info is None else cls(info.name, info.languages)

    @property
    def only_language(self) -> str | None:
        """The language of every transcript, where there is no choice."""
        return self.languages[0] if len(self.languages) == 1 else None

    def speaks(self, language: str) -> str | None:
        """Return which of its languages is meant by a code like "en", "en-US" or "EN_us"."""
        code = language.replace("_", "-").lower()
        by_code = {known.lower(): known for known in self.languages}
        return by_code.get(code) or by_code.get(code.partition("-")[0])
