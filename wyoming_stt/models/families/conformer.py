"""Streaming conformer (icefall `pruned_transducer_stateless5`): attention and convolution caches.

The graph does not keep its frame counter. It is fed the feature frames before this chunk, as
sherpa-onnx does; icefall's own note says encoder frames, so models are trained to either.
"""

from wyoming_stt.models.families.icefall import StreamingFamily

__all__ = ["FAMILY"]

FAMILY = StreamingFamily("conformer", caller_counts=True)
