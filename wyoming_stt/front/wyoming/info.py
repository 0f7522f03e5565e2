"""What the door says about itself, also while there is no model yet."""

from wyoming.info import AsrModel, AsrProgram, Attribution, Info

from wyoming_stt import __version__
from wyoming_stt.front.served import ServedModel
from wyoming_stt.front.wyoming.options import WyomingOptions

__all__ = ["PROGRAM", "describe"]

PROGRAM = "wyoming-stt"
"""Home Assistant names its entity after it; it must never change."""


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
