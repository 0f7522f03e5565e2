"""So many requests a minute from one address, to the millisecond."""

import time
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from wyoming_stt.front.http.errors import ErrorCode, HttpError
from wyoming_stt.observability.metrics import Metrics

__all__ = ["RateLimit", "RateLimiter", "bucket_of"]

MINUTE_NS: Final = 60_000_000_000
FORGET_NS: Final = 5 * MINUTE_NS
"""How often addresses whose bucket is full again are forgotten."""
MAX_ADDRESSES: Final = 100_000
"""Remembered at once, some 10 MB; beyond it the one that was quiet for longest is forgotten."""
EXEMPT: Final = "/health"


class RateLimiter:
    """A token bucket for each address, in one number: when it will be full (GCRA).

    Libraries count requests in windows, so that what was used up comes back in lumps. Here one
    request comes back every 60 s / `per_minute`. Times are nanoseconds multiplied by `per_minute`,
    which makes that step a whole number whatever the rate.
    """

    def __init__(
        self, per_minute: int, burst: int, clock_ns: Callable[[], int] = time.monotonic_ns
    ) -> None:
        self._per_minute = per_minute
        self._tolerance = burst * MINUTE_NS
        self._clock_ns = clock_ns
        self._full_at: OrderedDict[str, int] = OrderedDict()
        self._swept = clock_ns()

    def __len__(self) -> int:
        """Count the addresses that are remembered."""
        return len(self._full_at)

    def admit(self, address: str) -> int:
        """Count a request; return 0, or after how many nanoseconds one would be admitted."""
        now_ns = self._clock_ns()
        if now_ns - self._swept >= FORGET_NS:
            self._sweep(now_ns)
        now = now_ns * self._per_minute
        full_at = max(self._full_at.get(address, 0), now) + MINUTE_NS
        missing = full_at - now - self._tolerance
        if missing > 0:
            return -(-missing // self._per_minute)
        self._full_at[address] = full_at
        self._full_at.move_to_end(address)
        if len(self._full_at) > MAX_ADDRESSES:
            self._full_at.popitem(last=False)
        return 0

    def _sweep(self, now_ns: int) -> None:
        self._swept = now_ns
        now = now_ns * self._per_minute
        for address in [key for key, full_at in self._full_at.items() if full_at <= now]:
            del self._full_at[address]


class RateLimit:
    """Refuses the request that is one too many, before it costs anything."""

    def __init__(self, app: ASGIApp, limiter: RateLimiter, metrics: Metrics, limit: int) -> None:
        self._app = app
        self._limiter = limiter
        self._metrics = metrics
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        wait_ns = 0
        if scope["path"] != EXEMPT:
            wait_ns = self._limiter.admit(bucket_of((scope["client"] or ("",))[0]))
        if wait_ns:
            self._metrics.rate_limited()
            raise HttpError(
                ErrorCode.RATE_LIMITED,
                f"more than {self._limit} requests a minute (setting http.requests_per_minute)",
                retry_after_ms=-(-wait_ns // 1_000_000),
            )
        await self._app(scope, receive, send)


def bucket_of(address: str) -> str:
    """Return whom an address counts for: itself, or its network where one client has 2^64."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return address
    return str(parsed.ipv4_mapped or parsed.packed[:8].hex())
