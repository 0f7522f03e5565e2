"""Small transducers with random weights, in the exact file formats of published models."""

from tests.support.onnx_models.folder import (
    FAMILIES,
    OFFLINE_FAMILIES,
    STREAMING_FAMILIES,
    build,
)

__all__ = ["FAMILIES", "OFFLINE_FAMILIES", "STREAMING_FAMILIES", "build"]
