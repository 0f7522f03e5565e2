"""What the door says about itself, also while there is no model yet."""

from dataclasses import dataclass

from wyoming.info import AsrModel, AsrProgram, Attribution, Info

from wyoming_stt import __version__
from wyoming_stt.front.wyoming.options import WyomingOptions

__all__ = ["PROGRAM", "ServedModel", "describe"]

PROGRAM = "wyoming-stt"
"""Home Assistant names its entity after it; it must never change."""


@dataclass(frozen=True, slots=True)
class ServedModel:
    """What a client must know of the model; before it is loaded, what the settings promise."""

    name: str
    languages: tuple[str, ...]
    """Plain codes. Home Assistant reads them once and compares them letter by letter."""

    @property
    def only_language(self) -> str | None:
        """The language of every transcript, where there is no choice."""
        return self.languages[0] if len(self.languages) == 1 else None

    def speaks(self, language: str) -> str | None:
        """Return which of its languages is meant by a code like "en", "en-US" or "EN_us"."""
        code = language.replace("_", "-").lower()
        by_code = {known.lower(): known for known in self.languages}
        return by_code.get(code) or by_code.get(code.partition("-")[0])


def describe(model: ServedModel, options: WyomingOptions) -> Info:
    """Build the answer to `describe`."""
    attribution = Attribution(name=PROGRAM, url="")
    return Info(
        asr=[
            AsrProgram(
                name=PROGRAM,
                description="Local streaming speech-to-text",
                attribution=attribution,
                installed=True,
                version=__version__,
                supports_transcript_streaming=True,
                requires_external_vad=options.requires_external_vad,
                models=[
                    AsrModel(
                        name=model.name,
                        description=None,
                        attribution=attribution,
                        installed=True,
                        version=None,
                        languages=list(model.languages),
                    )
                ],
            )
        ]
    )
