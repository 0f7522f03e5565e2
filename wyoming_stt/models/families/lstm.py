"""Streaming LSTM (icefall `lstm_transducer_stateless2`): hidden and cell state, a frame a call."""

from wyoming_stt.models.families.icefall import StreamingFamily

__all__ = ["FAMILY"]

FAMILY = StreamingFamily("lstm")
