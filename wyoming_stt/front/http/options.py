"""What the HTTP door is, whom it lets in, and how much it takes from one client."""

from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path
from typing import Final

from wyoming_stt.errors import SettingsError

__all__ = ["HttpOptions"]

_ZERO_IS_OFF: Final = ("requests_per_minute", "max_session_s")


@dataclass(frozen=True, slots=True)
class HttpOptions:
    """Settings of the HTTP door: REST, SSE, WebSocket and the OpenAI API on one port."""

    enabled: bool = True
    """Serve HTTP beside Wyoming. A server on `stdio://` has one client only, and never does."""
    uri: str = "tcp://127.0.0.1:10301"
    """Where to listen: `tcp://host:port`, port 0 for any free one."""

    allow_origin: tuple[str, ...] = ()
    """Origins (`https://panel.example`) whose pages may use the server from a browser. Pages of
    this machine (`localhost`, `127.0.0.1`, `[::1]`) always may."""
    cors_allow_any: bool = False
    """Let pages of every origin use the server: any web site that somebody at home opens."""
    api_token: str | None = field(default=None, repr=False)
    """Clients must send `Authorization: Bearer` with it; all but `/health` and `/ready` need it.
    Better in `api_token_file`: a command line is seen by every process."""
    api_token_file: Path | None = None
    """A file that holds nothing but the token."""
    admin_token: str | None = field(default=None, repr=False)
    """Whoever has it may also activate, unload and reload models; programs of this machine may do
    so without one."""
    admin_token_file: Path | None = None
    """A file that holds nothing but that token."""
    insecure_no_token: bool = False
    """Let whoever reaches an address that is not this machine's own do without a token."""
    trusted_proxies: tuple[str, ...] = ()
    """Addresses and networks (`172.16.0.0/12`) of reverse proxies, whose `X-Forwarded-For` says
    who the client is. From others the header means nothing."""
    requests_per_minute: int = 0
    """Requests of one address a minute, `/health` not counted; 0: any number."""
    request_burst: int = 10
    """Requests that one address may make at once, where `requests_per_minute` is set."""
    metrics: bool = False
    """Answer `GET /metrics` in the format of Prometheus."""

    max_connections: int = 256
    """Connections at once, kept-alive and WebSocket ones included; one more is cut off."""
    max_header_bytes: int = 65_536
    """Request line and headers together. Browsers and proxies stay below 16 KiB."""
    max_body_bytes: int = 52_428_800
    """Body of a request: 27 minutes of 16 kHz PCM, or an hour and more of any compressed kind."""
    max_duration_s: float = 86_400.0
    """Audio in one recording. A small file can hold years of silence."""
    max_hotwords: int = 2_000
    """Phrases of one request, as for Wyoming."""
    max_hotword_chars: int = 100
    """Characters of one phrase. Longer ones are no names."""
    max_frame_bytes: int = 524_288
    """A WebSocket frame: 5 s of 48 kHz PCM, where clients send a tenth of a second."""
    header_timeout_s: float = 10.0
    """From the first byte of a request, or the connection, to the end of its headers."""
    body_timeout_s: float = 30.0
    """How long to wait for the client in a body, all waits together; every `min_body_rate` bytes
    that did come are worth a second more."""
    min_body_rate: int = 500
    """Bytes a second that a body must bring in the long run; the leanest speech codecs make
    800."""
    write_timeout_s: float = 30.0
    """For a client to take what we send it, then its connection is cut."""
    keep_alive_s: int = 15
    """For the next request on a connection."""
    heartbeat_s: float = 15.0
    """Between two signs of life in an event stream; proxies cut one that is silent for 60 s."""
    idle_timeout_s: float = 300.0
    """Without a frame from its client a WebSocket is closed."""
    max_session_s: float = 3_600.0
    """Longest WebSocket connection; 0: any."""
    place_timeout_s: float = 30.0
    """Longest wait for a place in the engine; programs are more patient than people."""
    drain_s: float = 10.0
    """For open requests and streams to end when the server stops. Docker kills after 10 s unless
    told otherwise, so uploads that take longer need its `stop_grace_period` raised, too."""

    def __post_init__(self) -> None:
        for name in _ZERO_IS_OFF:
            if getattr(self, name) < 0:
                raise SettingsError(f"{name} cannot be below 0")
        for origin in self.allow_origin:
            if "://" not in origin:
                raise SettingsError(f"allow_origin: {origin!r} is not like https://host:port")
        for proxy in self.trusted_proxies:
            try:
                ip_network(proxy)
            except ValueError as error:
                raise SettingsError(f"trusted_proxies: {error}") from None
        if self.drain_s < 1:
            raise SettingsError("drain_s must be 1 or more: a final transcript takes its time")
        for name in self.__slots__:
            is_bound = name.startswith("max_") or name.endswith(("_s", "_burst", "_rate"))
            if is_bound and name not in _ZERO_IS_OFF and getattr(self, name) <= 0:
                raise SettingsError(f"{name} must be above 0")
