"""How long a job is left alone after a try that came to nothing."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Self

__all__ = ["LONGEST_S", "NO_REST", "Rest"]

LONGEST_S: Final = 300.0
"""Longest pause: whatever stood in the way is looked for again within minutes of its end."""
_DOUBLINGS: Final = 16
"""More than it takes to get there from any first pause that makes sense."""


@dataclass(frozen=True, slots=True)
class Rest:
    """The pause after the last try; what failed once would only fail again at once."""

    times: int = 0
    """How often in a row it had to rest, each time for twice as long."""
    until: datetime | None = None

    def is_over(self, now: datetime) -> bool:
        """Tell whether it may be tried; a clock that was set back must not delay that for years."""
        left_s = (self.until - now).total_seconds() if self.until is not None else 0.0
        return not 0 < left_s <= LONGEST_S

    def again(self, now: datetime, first_s: float) -> Self:
        """Return the next pause."""
        pause_s = min(first_s * 2 ** min(self.times, _DOUBLINGS), LONGEST_S)
        return replace(self, times=self.times + 1, until=now + timedelta(seconds=pause_s))


NO_REST: Final = Rest()
"""Of a job that has not failed since its last piece."""
