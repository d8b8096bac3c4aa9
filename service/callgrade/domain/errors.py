"""Everything that can go wrong, as one tree.

    CallgradeError
    ├── InputError                  what was handed in is wrong                     422
    │   ├── TranscriptError         neither a transcript nor labelled text
    │   ├── RecordingError          no audio in it, cut short, too long
    │   ├── RubricError             a rubric file with faults (all of them named)
    │   ├── PromptError             a prompt file with faults
    │   ├── GoldenSetError          a golden set's files with faults (all of them named)
    │   └── JudgementError          an unknown criterion, a wrong kind, out of range
    ├── ConfigurationError          callgrade is set up wrongly                     500, exit 2
    │   ├── NotFoundError           no such rubric, prompt or file                  404
    │   ├── SettingsError           a setting that cannot be
    │   ├── MissingExtraError       an optional part is not installed
    │   └── ModelNotInstalledError  a recogniser's files are not on this machine
    ├── RequestError                what was asked for cannot be done               4xx
    │   ├── NotAuthenticatedError   no key, a wrong one, an expired one             401
    │   ├── ForbiddenError          the key or role may not do this                 403
    │   ├── UnknownResourceError    no such call, or another client's               404
    │   ├── ConflictError           the same id or key with other content           409
    │   │   └── StillAtWorkError    the first request with this key has no answer yet   retryable
    │   ├── GoneError               erased, with the reason                         410
    │   ├── TooLargeError           larger than is taken                            413
    │   └── TooManyRequestsError    over the key's rate                             429, retryable
    ├── NotReadyError               a part of the service is down                   503, retryable
    ├── TranscriptionError          the recogniser failed on a good recording       500
    ├── UnexpectedError             a bug; named by its kind only                   500
    └── JudgeError                  a model was asked and gave no usable answer     502
        ├── RateLimitedError        429, out of patience                            retryable
        ├── ModelUnavailableError   5xx, dropped connection                         retryable
        ├── ModelTimeoutError       no answer in time                               retryable
        ├── BadAnswerError          not the JSON that was asked for                 retryable
        ├── AnswerCutError          the answer ended at the length limit
        ├── KeyRefusedError         401, 403
        ├── ModelNotFoundError      404
        ├── QuotaExhaustedError     no money left; waiting does not help
        ├── ContextTooLongError     the transcript does not fit the model's window
        ├── ContentFilteredError    the provider refused the text
        ├── RefusedError            the model refused
        └── BadRequestError         another 4xx

Messages say what, where and how to mend it. They never hold a quote, a key or a model's raw answer: those are
personal data or secrets, and messages end up in logs.
"""

from typing import ClassVar


class CallgradeError(Exception):
    """The root. `status` is the HTTP status the service answers with; `retryable` says whether trying the
    same thing again later can help, `retry_after_s` when, where that is known."""

    status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False
    retry_after_s: float | None = None

    @property
    def type(self) -> str:
        """A stable kebab-case name for machines: `RateLimitedError` is `rate-limited`."""
        name = type(self).__name__.removesuffix("Error")
        return "".join(f"-{c.lower()}" if c.isupper() else c for c in name).lstrip("-")


class InputError(CallgradeError):
    status = 422


class TranscriptError(InputError):
    """`source` and `line` (from 1) say where, when they are known."""

    def __init__(self, message: str, *, source: str | None = None, line: int | None = None):
        self.source, self.line = source, line
        place = ":".join(str(part) for part in (source, line) if part is not None)
        super().__init__(f"{place}: {message}" if place else message)


class RecordingError(InputError):
    def __init__(self, message: str, *, source: str | None = None):
        self.source = source
        super().__init__(f"{source}: {message}" if source else message)


class RubricError(InputError):
    """`faults` are rendered lines, one a fault, each with file, line and path."""

    def __init__(self, source: str, faults: tuple[str, ...]):
        self.source, self.faults = source, faults
        super().__init__(f"{source} has {len(faults)} fault(s):\n" + "\n".join(faults))


class PromptError(InputError):
    pass


class GoldenSetError(InputError):
    """`faults` are rendered lines, one a fault, each with file and line. They quote nothing of a call."""

    def __init__(self, source: str, faults: tuple[str, ...]):
        self.source, self.faults = source, faults
        super().__init__(f"{source} has {len(faults)} fault(s):\n" + "\n".join(faults))


class JudgementError(InputError):
    def __init__(self, criterion_id: str, message: str):
        self.criterion_id = criterion_id
        super().__init__(f"criterion {criterion_id!r}: {message}")


class RequestError(CallgradeError):
    """Of a caller over HTTP. Someone else's id is an unknown one: what exists elsewhere is nobody's business."""

    status = 400


class NotAuthenticatedError(RequestError):
    status = 401


class ForbiddenError(RequestError):
    status = 403


class UnknownResourceError(RequestError):
    status = 404


class ConflictError(RequestError):
    status = 409


class StillAtWorkError(ConflictError):
    retryable = True
    retry_after_s = 1.0


class GoneError(RequestError):
    status = 410


class TooLargeError(RequestError):
    status = 413


class TooManyRequestsError(RequestError):
    """`retry_after_s` says when to come back."""

    status = 429
    retryable = True

    def __init__(self, message: str, *, retry_after_s: float):
        self.retry_after_s = retry_after_s
        super().__init__(message)


class NotReadyError(CallgradeError):
    status = 503
    retryable = True


class ConfigurationError(CallgradeError):
    pass


class NotFoundError(ConfigurationError):
    status = 404


class SettingsError(ConfigurationError):
    pass


class MissingExtraError(ConfigurationError):
    def __init__(self, extra: str, purpose: str):
        self.extra = extra
        super().__init__(f"{purpose} needs the extra {extra!r}: pip install 'callgrade[{extra}]'")


class ModelNotInstalledError(ConfigurationError):
    pass


class TranscriptionError(CallgradeError):
    pass


class UnexpectedError(CallgradeError):
    pass


class JudgeError(CallgradeError):
    """`requests` is how many requests were spent before giving up; failures are billed too."""

    status = 502

    def __init__(self, message: str, *, requests: int = 0):
        self.requests = requests
        super().__init__(message)


class RateLimitedError(JudgeError):
    retryable = True


class ModelUnavailableError(JudgeError):
    retryable = True


class ModelTimeoutError(JudgeError):
    retryable = True


class BadAnswerError(JudgeError):
    retryable = True


class AnswerCutError(JudgeError):
    pass


class KeyRefusedError(JudgeError):
    pass


class ModelNotFoundError(JudgeError):
    pass


class QuotaExhaustedError(JudgeError):
    pass


class ContextTooLongError(JudgeError):
    pass


class ContentFilteredError(JudgeError):
    pass


class RefusedError(JudgeError):
    pass


class BadRequestError(JudgeError):
    pass
