"""Streaming Zipformer 2 (icefall `zipformer`): 6 caches a layer, one in front, and a counter."""

from wyoming_stt.models.families.icefall import StreamingFamily

__all__ = ["FAMILY"]

FAMILY = StreamingFamily("zipformer2")
