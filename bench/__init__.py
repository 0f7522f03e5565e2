"""Ours beside its peers, on the same model and recordings, in one run.

The machine is never quiet, so contestants take turns, recording by recording, and what counts is
the median of their ratios.
"""
