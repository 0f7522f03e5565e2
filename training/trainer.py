"""The training state and one step of it: a student, two optimizers, four losses."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from training.data import Batch
from training.losses import (
    band,
    best_path,
    distillation_loss,
    transducer_loss,
    transducer_scores,
)
from training.reader import TeacherReader
from training.restore import HEADS, restore
from training.student import Student, StudentConfig

__all__ = ["HEAD_STEPS", "TRANSDUCER_RISE_HOURS", "Schedule", "Trainer"]

ADAM_LR = 1e-3
MUON_LR = 4e-3
CLIP_NORM = 2.0
HEAD_STEPS = 150
"""Batches on which the heads of an exported model are fitted before anything else moves."""
CTC_WEIGHT, TRANSDUCER_WEIGHT = 0.4, 0.5
READING_WEIGHT = 3.0
"""Of the divergence from what the teacher would write, a frame; most frames are blank."""
TRANSDUCER_RISE_HOURS = 10.0
"""Audio over which the transducer loss reaches its weight."""
AVERAGE = 0.998
"""Weight of the past in the running average of the weights, which is what is shipped."""
BAND = 8
"""Places among the labels, about the CTC head's, at which a frame may be for the transducer."""
MAX_CELLS = {"cpu": 40_000, "cuda": 600_000}
"""Frames times places of a batch that the transducer loss sees: its cost and its memory."""


@dataclass(frozen=True)
class Schedule:
    """Learning rate and losses over the hours of audio: warm-up, level, a line to zero."""

    hours: float
    """Audio to see in all. May be raised (or lowered) when a run is resumed."""
    transducer_from: float = 36.0
    """Hours after which the transducer loss joins in: frames must mean something by then."""
    decay_from: float = 0.65
    """Share of the hours after which the learning rate falls."""
    warm_up_steps: int = 300

    def learning_rate(self, step: int, hours: float) -> float:
        """Factor of the learning rate."""
        rising = min(1.0, (step + 1) / self.warm_up_steps)
        left = max(0.0, 1 - hours / self.hours) / (1 - self.decay_from)
        return rising * min(1.0, left + 0.01)

    def transducer_weight(self, hours: float) -> float:
        """Weight of the transducer loss; it rises slowly, while the joiner still knows nothing.

        The optimizers of predictor and joiner do not care how small a gradient is; the encoder,
        which has other teachers, is spared it.
        """
        begun = (hours - self.transducer_from) / TRANSDUCER_RISE_HOURS
        return TRANSDUCER_WEIGHT * min(1.0, max(0.0, begun))


class Trainer:
    """Owns everything a checkpoint holds."""

    def __init__(
        self,
        config: StudentConfig,
        schedule: Schedule,
        statistics: tuple[Tensor, Tensor],
        device: str,
        reader: TeacherReader | None = None,
    ) -> None:
        self.device = torch.device(device)
        self.schedule = schedule
        self.student = Student(config).to(self.device)
        self.average = copy.deepcopy(self.student).eval().requires_grad_(requires_grad=False)
        self.statistics = statistics
        self._reader = reader.to(self.device) if reader else None
        self.step = 0
        self.hours = 0.0
        self.best = float("inf")
        self.knows_words = False  # it began with weights of another run: scenes and losses at once
        matrices = [m.weight for m in self.student.encoder.modules() if isinstance(m, nn.Linear)]
        chosen = {id(p) for p in matrices}
        others = [p for p in self.student.parameters() if id(p) not in chosen]
        self._optimizers = (
            torch.optim.Muon(
                matrices, lr=MUON_LR, weight_decay=0.02, adjust_lr_fn="match_rms_adamw", ns_steps=4
            ),
            torch.optim.AdamW(others, lr=ADAM_LR, weight_decay=0.01, betas=(0.9, 0.98)),
        )

    def train_step(self, batch: Batch) -> dict[str, float]:
        """Learn from one batch; returns its losses."""
        batch = Batch(*(x.to(self.device) if isinstance(x, Tensor) else x for x in batch))
        factor = self.schedule.learning_rate(self.step, self.hours)
        for optimizer, rate in zip(self._optimizers, (MUON_LR, ADAM_LR), strict=True):
            optimizer.param_groups[0]["lr"] = rate * factor
            optimizer.zero_grad(set_to_none=True)
        losses = self._losses(batch)
        figures = {name: float(loss.detach()) for name, loss in losses.items()}
        if losses:  # before the transducer loss joins, noise alone has none
            figures["norm"] = self._descend(losses)
        self._update_average()
        self.step += 1
        self.hours += batch.seconds / 3600
        return figures

    def save(self, path: Path) -> None:
        """Write a checkpoint in one step, so that a kill leaves the one before."""
        part = path.with_suffix(".tmp")
        torch.save(self._state(), part)
        part.rename(path)

    def start_from(self, path: Path) -> None:
        """Begin a new run with the averaged weights of another, or with an exported model."""
        if path.is_dir():
            weights = restore(path, self.student.config).state_dict()
        else:
            state = torch.load(path, map_location=self.device, weights_only=True)
            weights, self.statistics = state["average"], state["statistics"]
        self.student.load_state_dict(weights)
        self.average.load_state_dict(weights)
        self.knows_words = True

    def fit_heads(self, batches: Iterable[Batch]) -> float:
        """Teach the heads that are not exported to read the encoder as it is; the last loss.

        While they know nothing, what they ask of the encoder is noise.
        """
        heads = [p for name in HEADS for p in getattr(self.student, name).parameters()]
        optimizer, loss = torch.optim.AdamW(heads, lr=4 * ADAM_LR), float("nan")
        for batch in batches:
            losses = self._losses(batch)
            told = [losses[name] for name in HEADS if name in losses]
            if not told:
                continue  # nothing but noise
            total = torch.stack(told).sum()
            optimizer.zero_grad(set_to_none=True)
            total.backward(inputs=heads)
            optimizer.step()
            loss = float(total.detach())
        self.average.load_state_dict(self.student.state_dict())
        return loss

    def load(self, path: Path) -> None:
        """Take up a checkpoint where it was left."""
        state = torch.load(path, map_location=self.device, weights_only=True)
        self.student.load_state_dict(state["student"])
        self.average.load_state_dict(state["average"])
        for optimizer, saved in zip(self._optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        self.statistics = state["statistics"]
        self.step, self.hours, self.best = state["step"], state["hours"], state["best"]
        self.knows_words = state.get("knows_words", False)

    def _state(self) -> dict[str, Any]:
        return {
            "config": self.student.config.to_dict(),
            "student": self.student.state_dict(),
            "average": self.average.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self._optimizers],
            "statistics": self.statistics,
            "step": self.step,
            "hours": self.hours,
            "best": self.best,
            "knows_words": self.knows_words,
        }

    def _descend(self, losses: dict[str, Tensor]) -> float:
        """Step down the weighted sum of the losses; the norm of its gradient before clipping."""
        weights = {"teacher": 1.0, "reading": READING_WEIGHT, "ctc": CTC_WEIGHT}
        weights["transducer"] = self.schedule.transducer_weight(self.hours)
        torch.stack([weights[name] * loss for name, loss in losses.items()]).sum().backward()
        norm = nn.utils.clip_grad_norm_(self.student.parameters(), CLIP_NORM)
        if torch.isfinite(norm):
            for optimizer in self._optimizers:
                optimizer.step()
        return float(norm)

    def _losses(self, batch: Batch) -> dict[str, Tensor]:
        mean, deviation = (s.to(self.device) for s in self.statistics)
        with torch.autocast(self.device.type, torch.bfloat16):
            encoded = self.student.encoder(batch.features)
            imitation = self.student.teacher(encoded)
            if self._reader:  # what the teacher understood, the encoder learns from it alone
                encoded = torch.where(batch.understood[:, None, None], encoded.detach(), encoded)
            ctc = self.student.ctc(encoded)
        losses = {}
        if batch.teacher_lengths.any():
            target = (batch.teacher - mean) / deviation
            losses["teacher"] = distillation_loss(imitation.float(), target, batch.teacher_lengths)
            if self._reader:
                misheard = (batch.label_lengths > 0) & ~batch.understood
                losses["reading"] = self._reader.loss(
                    imitation.float() * deviation + mean,
                    batch.teacher,
                    batch.teacher_lengths * ~misheard,
                )
        frames = batch.frames.clamp_max(encoded.shape[1])
        told = batch.label_lengths > 0
        if told.any():
            scores = F.log_softmax(ctc[told].float(), -1).transpose(0, 1)
            losses["ctc"] = F.ctc_loss(
                scores,
                batch.labels[told],
                frames[told],
                batch.label_lengths[told],
                zero_infinity=True,
            )
        if self.schedule.transducer_weight(self.hours):
            losses["transducer"] = self._transducer(encoded, ctc, batch._replace(frames=frames))
        return losses

    def _transducer(self, encoded: Tensor, ctc: Tensor, batch: Batch) -> Tensor:
        """Loss a label, of as many utterances as MAX_CELLS allows; noise must stay blank."""
        noise = (batch.label_lengths == 0) & (batch.teacher_lengths == 0)
        usable = ((batch.label_lengths > 0) | noise).nonzero().squeeze(1)
        width = min(BAND, int(batch.label_lengths.max()) + 1)
        most = max(1, MAX_CELLS[self.device.type] // (int(batch.frames.max()) * width))
        chosen = usable[torch.randperm(len(usable), device=usable.device)[:most]]
        if not len(chosen):
            return encoded.sum() * 0
        labels, frames, lengths = (
            x[chosen] for x in (batch.labels, batch.frames, batch.label_lengths)
        )
        labels = F.pad(labels, (0, 1))
        path = best_path(F.log_softmax(ctc[chosen].float(), -1), labels, frames, lengths)
        starts = band(path, lengths, width)
        places = starts[:, :, None] + torch.arange(width, device=starts.device)
        before = F.pad(labels, (2, 0))
        before[:, 0] = -1
        context = torch.stack([before[:, :-2], before[:, 1:-1]], 2)
        rows = torch.arange(len(chosen), device=starts.device)[:, None, None]
        with torch.autocast(self.device.type, torch.bfloat16):
            predicted = self.student.predictor(context)
            logits = self.student.join(
                self.student.to_joiner(encoded[chosen]).unsqueeze(2), predicted[rows, places]
            )
        blanks, emitted = transducer_scores(logits.float(), labels[rows, places])
        losses = transducer_loss(blanks, emitted, starts, frames, lengths)
        return losses.sum() / lengths.sum().clamp_min(1)

    @torch.no_grad()
    def _update_average(self) -> None:
        keep = min(AVERAGE, (1 + self.step) / (10 + self.step))
        for slow, fast in zip(self.average.parameters(), self.student.parameters(), strict=True):
            slow.lerp_(fast, 1 - keep)
