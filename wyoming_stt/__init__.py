"""Local speech-to-text for Home Assistant. Importing the package imports nothing heavy."""

__version__ = "0.1.0"
