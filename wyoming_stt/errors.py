"""Every error this package raises on purpose.

    SttError
    ├── SettingsError                 the settings contradict themselves
    │   └── CatalogError              a catalogue of models cannot be read
    ├── BadRequestError               a client sent what the protocol does not allow
    │   ├── AudioFormatError          PCM of a shape we cannot read, or a file that is no audio
    │   ├── LimitError                a named limit was exceeded
    │   ├── UnknownModelError         the model asked for is not served here
    │   ├── UnsupportedLanguageError  the language asked for is not spoken by the model
    │   ├── JobNotFoundError          no job has that id
    │   ├── JobFinishedError          the job has ended: there is nothing to cancel
    │   └── JobUnfinishedError        the job has no result
    ├── OverloadedError               no place is free; try again later
    │   ├── QueueFullError            too many jobs wait
    │   └── NoRoomError               no disk space for a recording
    ├── JobsUnavailableError          the store of jobs cannot be used now
    ├── ModelError                    a model cannot be used
    │   ├── ModelFileError            a file of it is missing, damaged, or not what it should be
    │   ├── UnknownFamilyError        no family recognises the folder
    │   ├── ModelNotReadyError        it is still loading, or its load took too long
    │   ├── UnlistedModelError        no catalogue names it
    │   ├── NotInstalledError         it is not in the store, or not in that version
    │   ├── DownloadError             no address gave the file
    │   │   └── OfflineError          the network was needed and is not to be used
    │   ├── ChecksumError             what was downloaded is not what was published
    │   ├── ArchiveError              an archive that cannot be unpacked safely
    │   ├── StorageError              the disk is full, or the folder cannot be written
    │   └── StoreBusyError            another process has been at this model for too long
    ├── InferenceTimeoutError         one call took longer than it may
    ├── InferenceError                the model failed on this utterance
    └── ShuttingDownError             the server is going away

`code` is what a client sees and may branch on; it never changes. The message is for people: what
happened, why, and what to do.
"""

from pathlib import Path
from typing import ClassVar

__all__ = [
    "ArchiveError",
    "AudioFormatError",
    "BadRequestError",
    "CatalogError",
    "ChecksumError",
    "DownloadError",
    "InferenceError",
    "InferenceTimeoutError",
    "JobFinishedError",
    "JobNotFoundError",
    "JobUnfinishedError",
    "JobsUnavailableError",
    "LimitError",
    "ModelError",
    "ModelFileError",
    "ModelNotReadyError",
    "ModelTooLargeError",
    "NoRoomError",
    "NotInstalledError",
    "OfflineError",
    "OverloadedError",
    "QueueFullError",
    "SettingsError",
    "ShuttingDownError",
    "StorageError",
    "StoreBusyError",
    "SttError",
    "UnfitMachineError",
    "UnknownFamilyError",
    "UnknownModelError",
    "UnlistedModelError",
    "UnsupportedLanguageError",
]


class SttError(Exception):
    """Something the server did not expect; the base of all errors of this package."""

    code: ClassVar[str] = "internal-error"


class SettingsError(SttError, ValueError):
    """A setting has a value that cannot be served."""

    code = "bad-settings"


class UnfitMachineError(SttError):
    """A machine that cannot run the server: its processor, or its memory."""

    code = "unfit-machine"


class CatalogError(SettingsError):
    """A catalogue of models that cannot be read, or an entry of it that does not make sense."""

    code = "bad-catalog"


# Errors a client caused and can mend.


class BadRequestError(SttError, ValueError):
    """A message that the protocol does not allow."""

    code = "bad-request"


class AudioFormatError(BadRequestError):
    """PCM of a width, rate or channel count that we do not read, or a file without audio."""

    code = "unsupported-audio"


class LimitError(BadRequestError):
    """More than a named limit allows."""

    code = "limit-exceeded"

    def __init__(self, what: str, limit: str, setting: str) -> None:
        super().__init__(f"{what}: the limit is {limit} (setting {setting})")


class UnknownModelError(BadRequestError):
    """The model asked for is not served here."""

    code = "unknown-model"

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        super().__init__(f"no model {name!r} here; known: {', '.join(known) or 'none'}")


class UnsupportedLanguageError(BadRequestError):
    """The model does not speak the language asked for."""

    code = "unsupported-language"

    def __init__(self, language: str, known: tuple[str, ...]) -> None:
        super().__init__(f"language {language!r} is not spoken here; known: {', '.join(known)}")


class JobNotFoundError(BadRequestError):
    """No job has that id, or not any more."""

    code = "job-not-found"

    def __init__(self, job_id: str) -> None:
        super().__init__(f"no job {job_id}; jobs that have ended are kept for a while only")


class JobFinishedError(BadRequestError):
    """A job that has ended cannot be cancelled."""

    code = "job-finished"

    def __init__(self, job_id: str, state: str) -> None:
        super().__init__(f"job {job_id} is {state}: there is nothing to cancel")


class JobUnfinishedError(BadRequestError):
    """A job that is not completed has no result."""

    code = "job-unfinished"

    def __init__(self, job_id: str, state: str) -> None:
        super().__init__(f"job {job_id} is {state}: only a completed one has words")


# Errors the server has to answer for.


class OverloadedError(SttError):
    """All places are taken and the waiting room is full."""

    code = "server-busy"


class QueueFullError(OverloadedError):
    """As many jobs wait as may."""

    code = "queue-full"

    def __init__(self, queued: int) -> None:
        super().__init__(f"{queued} jobs are waiting (setting jobs.max_queued); try again later")


class NoRoomError(OverloadedError):
    """There is no disk space for a recording."""

    code = "no-room"


class JobsUnavailableError(SttError):
    """The store of jobs, a file or a server, cannot be used now."""

    code = "jobs-unavailable"


class ModelError(SttError):
    """A model cannot be used: it fails when it is run, say."""

    code = "model-error"


class ModelFileError(ModelError):
    """A model file that is missing, damaged, or not what its family needs."""

    code = "model-damaged"

    def __init__(self, path: Path, expected: str, found: str) -> None:
        super().__init__(f"{path}: expected {expected}, found {found}")
        self.path = path


class UnknownFamilyError(ModelError):
    """A folder that none of the installed families recognises."""

    code = "unknown-family"


class ModelNotReadyError(ModelError):
    """The model is still loading, or did not load in time; it may be there in a moment."""

    code = "model-not-ready"


class ModelTooLargeError(ModelError):
    """A model that takes more memory than there is left."""

    code = "model-too-large"


class UnlistedModelError(ModelError):
    """No catalogue has an entry of that name."""

    code = "model-not-listed"


class NotInstalledError(ModelError):
    """The model, or that version of it, is not in the store."""

    code = "model-not-installed"


class DownloadError(ModelError):
    """None of a file's addresses gave it."""

    code = "download-failed"


class OfflineError(DownloadError):
    """Something has to be downloaded, and the settings forbid it."""

    code = "offline"


class ChecksumError(ModelError):
    """A download whose checksum is not the published one, or not that of the first fetch."""

    code = "checksum-mismatch"


class ArchiveError(ModelError):
    """An archive that is damaged, or that tries to write where it may not or more than it may."""

    code = "bad-archive"


class StorageError(ModelError):
    """The store cannot be written: no space, no permission, a fault of the disk."""

    code = "storage-failed"


class StoreBusyError(ModelError):
    """Another process works on the same model and did not finish in time."""

    code = "store-busy"


class InferenceTimeoutError(SttError, TimeoutError):
    """One inference call took longer than `engine.inference_timeout_s`."""

    code = "inference-timeout"


class InferenceError(SttError):
    """The model failed on this utterance; others are not affected."""

    code = "inference-failed"


class ShuttingDownError(SttError):
    """The server is draining and takes nothing new."""

    code = "shutting-down"
