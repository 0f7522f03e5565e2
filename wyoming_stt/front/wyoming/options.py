"""What the Wyoming door is, and how much it takes from one client."""

from dataclasses import dataclass, fields

from wyoming_stt.errors import SettingsError

__all__ = ["WyomingOptions"]


@dataclass(frozen=True, slots=True)
class WyomingOptions:
    """Settings of the Wyoming door; every bound protects the other clients from one."""

    uri: str = "tcp://127.0.0.1:10300"
    """Where to listen: `tcp://host:port` (port 0 for any free one), `unix:///path` or `stdio://`.
    10300 is where Home Assistant's own speech-to-text apps listen."""
    requires_external_vad: bool = True
    """Tell clients to cut the audio themselves. Off, Home Assistant sends until we answer, and
    some of its satellites then never show that they stopped listening."""
    endpointing: bool = False
    """Answer as soon as the speaker has finished, before `audio-stop`. Always so where
    `requires_external_vad` is off, since nobody else would end the utterance."""

    names_score: float = 2.0
    """Boost of each token of a `transcript_names` phrase; names take priority over terms."""
    terms_score: float = 1.0
    """Boost of each token of a `transcript_terms` phrase."""
    max_names: int = 2_000
    """Phrases in either list. A large home exposes some hundred entities, each with aliases;
    building the context graph of 2,000 phrases stays within milliseconds."""
    max_name_chars: int = 100
    """Characters of one phrase, and of a model, program or language name. Longer ones are no
    names, and would end up in our log and error texts."""

    max_header_bytes: int = 65_536
    """The JSON line of an event. 64 KiB is what the protocol's own library reads at most."""
    max_data_bytes: int = 262_144
    """The JSON after the line: `max_names` phrases of usual length, also in escaped Unicode."""
    max_payload_bytes: int = 1_048_576
    """Audio of one chunk: 32 s of what Home Assistant sends, in chunks 250 times its largest.
    With `max_connections` it bounds the memory that half-sent events can hold."""
    max_connections: int = 64
    """Clients at once. A home has one Home Assistant and some satellites, each with one
    connection an utterance; one more is told `server-busy`."""
    idle_timeout_s: float = 60.0
    """Silence on the wire after which a connection is closed. Home Assistant opens one per
    utterance and sends audio every 10 ms, so a minute means that the client has gone."""
    event_timeout_s: float = 10.0
    """From the first byte of an event to its last. A full `max_payload_bytes` takes that long at
    1 Mbit/s; longer means that the rest will never come."""
    write_timeout_s: float = 10.0
    """For a client to take what we send it; our answers fit any socket buffer, so a client that
    has not read for this long is not reading at all."""
    linger_s: float = 1.0
    """How long to swallow what a refused client still sends. Closing at once would make its
    kernel throw away the `error` that it has not read yet."""
    drain_s: float = 6.0
    """For open utterances to end when the server stops. Docker and the Supervisor kill after
    10 s; the rest of it is for telling the last clients, and for what else has to close."""

    def __post_init__(self) -> None:
        for field in fields(self):
            if field.name.startswith("max_") or field.name.endswith("_s"):
                value = getattr(self, field.name)
                if value <= 0:
                    raise SettingsError(f"{field.name} is {value}, but must be above 0")

    @property
    def ends_utterances(self) -> bool:
        """Whether the end of speech is found here, and not only by the client."""
        return self.endpointing or not self.requires_external_vad
