"""An example of every answer that /openapi.json describes, by the name of its schema.

A test holds each to its schema, and every route to have one.
"""

from typing import Any, Final

__all__ = ["ANSWERS", "FORMS", "METRICS", "TEXTS"]

_WORDS: Final = [
    {"word": "turn", "start": 0.48, "end": 0.72, "confidence": 0.98},
    {"word": "on", "start": 0.72, "end": 0.88, "confidence": 0.99},
    {"word": "the", "start": 0.88, "end": 1.0, "confidence": 0.97},
    {"word": "light", "start": 1.0, "end": 1.32, "confidence": 0.93},
]
_TEXT: Final = "turn on the light"
_SPAN: Final = {"start": 0.48, "end": 1.32, "text": _TEXT}
_HEARD: Final = {
    "text": _TEXT,
    "words": _WORDS,
    "segments": [{**_SPAN, "words": _WORDS, "confidence": 0.97}],
    "duration": 1.92,
    "language": "en",
}
_MODEL: Final = {
    "id": "home-en",
    "object": "model",
    "created": 0,
    "owned_by": "wyoming-stt",
    "family": "conformer",
    "languages": ["en"],
    "version": "2026-11-28",
    "sha256": None,
    "precision": "int8",
    "vocab_size": 256,
    "sample_rate": 16_000,
    "streaming": True,
    "installed": True,
    "active": True,
    "supported_formats": ["wav", "mp3", "m4a", "aac", "ogg", "opus", "flac", "webm"],
    "supported_rates": [8_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000],
    "pool_size": 32,
    "pool_available": 31,
    "diarization": False,
}
_VITALS: Final = {
    "model": "home-en",
    "model_state": "ready",
    "model_version": "2026-11-28",
    "on_fallback": False,
    "reason": None,
    "load_time_ms": 120,
    "warmup_time_ms": 20,
    "memory_mb": 112.4,
    "model_memory_mb": 5.2,
    "degrade_level": "normal",
    "rtf": {"average": 0.012, "p50": 0.011, "p95": 0.019, "p99": 0.024},
    "vad_speech_ratio": 0.42,
    "active_streams": 1,
    "queue_depth": 0,
    "dropped": 0,
    "consecutive_errors": 0,
    "last_errors": [
        {"at": "2026-11-28T07:12:03+00:00", "door": "http", "code": "invalid_audio"},
    ],
}
_LOAD: Final = {"rtf": 0.012, "turnaround": 0.013, "queue_wait_s": 0.001, "busy": 0.02}
_JOB_ID: Final = "1fc81bbf-9620-400b-a769-324557fadf7c"
_JOB: Final = {
    "job_id": _JOB_ID,
    "status": "completed",
    "progress": 100.0,
    "done": 1.92,
    "duration": 1.92,
    "created_at": "2026-11-28T07:12:03Z",
    "started_at": "2026-11-28T07:12:04Z",
    "completed_at": "2026-11-28T07:12:05Z",
    "tries": 1,
    "sha256": "313ea3876f18580b679f8aa0978b5a1e387951daa975a16d44e6a5151c6cfd4e",
    "result": None,
    "error": None,
    "error_code": None,
    "callback_error": None,
}

ANSWERS: Final[dict[str, Any]] = {
    "Health": {**_VITALS, "status": "ok", "version": "0.1.0"},
    "Ready": {"status": "ready", "pool_available": 31, "pool_size": 32},
    "ModelEntry": _MODEL,
    "ModelList": {"object": "list", "data": [_MODEL]},
    "ModelStatus": {
        **_VITALS,
        "chosen": "home-en",
        "fallback": None,
        "counters": {"loading": 1, "warming_up": 1, "ready": 1},
        "degrade_counters": {},
        "transitions": [
            {
                "at": "2026-11-28T07:00:00+00:00",
                "before": "warming_up",
                "after": "ready",
                "model": "home-en",
                "reason": "",
            }
        ],
        "load": {"short": _LOAD, "long": _LOAD},
    },
    "MachineReport": {
        "hardware": {
            "cpu": "Cortex-A76",
            "cores": 4,
            "features": ["asimd", "asimddp"],
            "memory_bytes": 8_321_499_136,
            "architecture": "aarch64",
            "board": "Raspberry Pi 5 Model B Rev 1.0",
            "cpu_part": "0xd0b",
            "unknown": [],
        },
        "providers": ["CPUExecutionProvider"],
        "families": ["conformer", "lstm", "offline", "zipformer", "zipformer2"],
        "tier": "a Raspberry Pi 5 or a small PC",
        "recommended": "zipformer-en",
        "reason": "a Raspberry Pi 5, 4 cores: zipformer-en is the best model for 'en'",
        "rejected": {"offline-en": "answers only after the end of speech"},
        "chosen": "home-en",
        "chosen_reason": "zipformer-en is not here yet",
        "fallback": None,
        "wanted": "zipformer-en",
    },
    "Served": {"model": "home-en", "model_state": "ready"},
    "Transcription": {**_HEARD, "model": "home-en", "rtf": 0.012, "confidence": 0.97},
    "ShortTranscription": {"text": _TEXT, "usage": {"type": "duration", "seconds": 2.0}},
    "VerboseTranscription": {
        "task": "transcribe",
        "language": "en",
        "duration": 1.92,
        "text": _TEXT,
        "segments": [
            {
                "id": 0,
                "seek": 0,
                **_SPAN,
                "tokens": [],
                "temperature": 0.0,
                "avg_logprob": -0.03,
                "compression_ratio": 0.8,
                "no_speech_prob": 0.0,
            }
        ],
        "usage": {"type": "duration", "seconds": 2.0},
    },
    "JobNote": {
        "job_id": _JOB_ID,
        "status": "queued",
        "message": f"GET /v1/jobs/{_JOB_ID} tells how it is, and in the end the words",
    },
    "JobAnswer": {
        **_JOB,
        "result": {**_HEARD, "model": "home-en", "confidence": 0.97, "processing_time": 0.4},
    },
    "JobList": {"jobs": [_JOB], "next_cursor": None},
    "QueueAnswer": {
        "queue_length": 2,
        "processing": 1,
        "workers": 1,
        "backend": "sqlite",
        "healthy": True,
    },
}

TEXTS: Final = {
    "text/plain": _TEXT,
    "application/x-subrip": f"1\n00:00:00,480 --> 00:00:01,320\n{_TEXT}\n",
    "text/vtt": f"WEBVTT\n\n00:00:00.480 --> 00:00:01.320\n{_TEXT}\n",
}
METRICS: Final = 'wyoming_stt_utterances_total{door="wyoming",outcome="final"} 12.0\n'
"""Of /metrics, which is text, too."""

FORMS: Final = {
    "file": "the bytes of recording.wav",
    "model": "home-en",
    "language": "en",
    "prompt": "kitchen lamp, hallway",
    "hotwords": "kitchen lamp, hallway",
    "response_format": "json",
}
"""Fields of forms that have an example where a form has them."""
