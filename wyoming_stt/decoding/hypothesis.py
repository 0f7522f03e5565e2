"""What a search has found so far."""

from dataclasses import dataclass, replace

__all__ = ["EMPTY", "Hypothesis"]


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """The best token sequence after `num_frames` encoder frames.

    `frames[i]` is the encoder frame that emitted `token_ids[i]`, `log_probs[i]` the model's own
    log-probability of it (never the boosted one). The first `num_committed` tokens will stay in
    every later hypothesis of the same utterance.
    """

    token_ids: tuple[int, ...] = ()
    frames: tuple[int, ...] = ()
    log_probs: tuple[float, ...] = ()
    num_frames: int = 0
    num_committed: int = 0

    @property
    def trailing_blanks(self) -> int:
        """Encoder frames since the last token."""
        return self.num_frames - (self.frames[-1] + 1 if self.frames else 0)

    def committed(self) -> "Hypothesis":
        """The first tokens, which will stay."""
        count = self.num_committed
        return replace(
            self,
            token_ids=self.token_ids[:count],
            frames=self.frames[:count],
            log_probs=self.log_probs[:count],
        )


EMPTY = Hypothesis()
