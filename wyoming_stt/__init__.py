"""Local speech-to-text for Home Assistant. Importing the package imports nothing heavy."""

import os

__version__ = "0.1.0"

# From 1.31 on, onnxruntime reports its use to its maker, and keeps a database for that in the
# user's home, unless it is told otherwise before it is imported. Nothing here leaves the house.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
