"""Streaming Zipformer 1 (icefall `pruned_transducer_stateless7_streaming`): 7 caches a stack."""

from wyoming_stt.models.families.icefall import StreamingFamily

__all__ = ["FAMILY"]

FAMILY = StreamingFamily("zipformer")
