"""The Wyoming door: Home Assistant's protocol for speech services, over the engine."""

from wyoming_stt.front.wyoming.options import WyomingOptions
from wyoming_stt.front.wyoming.server import WyomingServer, serve

__all__ = ["WyomingOptions", "WyomingServer", "serve"]
