"""The name of the request in hand, in every line that is logged on its behalf."""

import logging
from contextvars import ContextVar
from typing import Final

__all__ = ["REQUEST_ID", "NameRequest"]

REQUEST_ID: Final[ContextVar[str | None]] = ContextVar("request_id", default=None)
"""Set by a door for the task that serves a request; tasks begun by it inherit it."""


class NameRequest(logging.Filter):
    """Gives a record `request`: "[id] " where it is logged for one, else nothing."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Add to the record, and let it pass."""
        name = REQUEST_ID.get()
        record.request = f"[{name}] " if name else ""
        return True
