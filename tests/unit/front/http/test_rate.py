import pytest

from wyoming_stt.front.http.middleware import rate
from wyoming_stt.front.http.middleware.rate import RateLimiter, bucket_of

SECOND = 1_000_000_000


class Clock:
    def __init__(self) -> None:
        self.now = 7 * SECOND

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def admitted(limiter: RateLimiter, times: int, address: str = "a") -> int:
    return sum(limiter.admit(address) == 0 for _ in range(times))


def test_a_burst_is_let_in_and_not_one_more(clock: Clock) -> None:
    limiter = RateLimiter(60, 10, clock)
    assert admitted(limiter, 50) == 10
    assert limiter.admit("a") == SECOND
    assert admitted(limiter, 50, "b") == 10


@pytest.mark.parametrize("per_minute", [1, 7, 13, 59, 60, 61, 600])
def test_one_request_comes_back_at_its_time_exactly(clock: Clock, per_minute: int) -> None:
    limiter = RateLimiter(per_minute, 3, clock)
    started = clock.now
    assert admitted(limiter, 9) == 3
    for number in range(1, 200):
        # The first nanosecond at which that many steps of a minute by the rate have passed.
        due = started - (-number * 60 * SECOND // per_minute)
        clock.now = due - 1
        assert limiter.admit("a") == 1
        clock.now = due
        assert limiter.admit("a") == 0


def test_who_waits_as_long_as_told_gets_in(clock: Clock) -> None:
    limiter = RateLimiter(7, 2, clock)
    admitted(limiter, 2)
    clock.now += limiter.admit("a")
    assert limiter.admit("a") == 0


def test_a_refused_request_costs_nothing(clock: Clock) -> None:
    limiter = RateLimiter(60, 1, clock)
    assert admitted(limiter, 1_000) == 1
    clock.now += SECOND
    assert limiter.admit("a") == 0


def test_a_full_bucket_holds_a_burst_and_no_more(clock: Clock) -> None:
    limiter = RateLimiter(60, 10, clock)
    clock.now += 3_600 * SECOND
    assert admitted(limiter, 50) == 10


def test_quiet_addresses_are_forgotten_and_others_are_not(clock: Clock) -> None:
    limiter = RateLimiter(1, 10, clock)
    limiter.admit("quiet")
    admitted(limiter, 10, "loud")
    clock.now += 299 * SECOND
    limiter.admit("new")
    assert len(limiter) == 3
    clock.now += SECOND
    limiter.admit("new")
    assert len(limiter) == 2
    assert admitted(limiter, 10, "loud") == 5, "those of the five minutes that have passed"


def test_memory_is_bounded(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate, "MAX_ADDRESSES", 3)
    limiter = RateLimiter(60, 1, clock)
    for address in "abcde":
        limiter.admit(address)
    assert len(limiter) == 3
    assert limiter.admit("e") > 0


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8::1", "2001:db8::ffff", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("fe80::1%eth0", "fe80::2%eth1", True),
        ("", "not an address", False),
    ],
)
def test_who_counts_as_one(one: str, other: str, *, same: bool) -> None:
    assert (bucket_of(one) == bucket_of(other)) is same
