"""All settings: from the environment, or from the TOML file that `CALLGRADE_CONFIG` names.

The environment wins over the file. Names and shape: contracts.md, "Settings".
"""

import difflib
import os
import tomllib
import warnings
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from platformdirs import user_data_path
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)

from callgrade.domain.errors import SettingsError

PREFIX = "CALLGRADE_"
CONFIG = "CALLGRADE_CONFIG"
Language = Literal["zh", "en"]
Output = Literal["auto", "schema", "json"]
Temperature = Annotated[float, Field(ge=0, le=2)]
Samples = Annotated[int, Field(ge=1, le=15)]
AnswerTokens = Annotated[int, Field(ge=64, le=10_000_000)]
ContextTokens = Annotated[int, Field(ge=1024, le=10_000_000)]
PersonRole = Literal["admin", "qa_lead", "reviewer", "agent"]
"""As in access.permissions, which stands above."""


def _listed(value: object) -> object:
    """With commas between, as an environment variable has it."""
    return tuple(part.strip().lower() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def _paired(value: object) -> object:
    """`qa=reviewer,ops=admin`, as an environment variable has it."""
    if not isinstance(value, str):
        return value
    pairs = [part.partition("=") for part in value.split(",") if part.strip()]
    if not all(sign for _, sign, _ in pairs):
        raise ValueError("write it as name=role,name=role")
    return {name.strip(): role.strip() for name, _, role in pairs}


_LABELS = r"[a-z0-9_-]+(\.[a-z0-9_-]+)*"
HostName = Annotated[str, StringConstraints(pattern=rf"^((\*\.)?{_LABELS}|[0-9a-f]*:[0-9a-f]*:[0-9a-f:.]*)$")]


class Group(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


class LLMSettings(Group):
    """Which model judges, and how hard it is driven."""

    model: str | None = None
    """Sent verbatim. `gguf:PATH` serves a file on this machine, `litellm:NAME` goes through litellm."""
    base_url: str | None = None
    """An OpenAI-compatible endpoint; None is the SDK's default."""
    api_key: SecretStr | None = None
    concurrency: Annotated[int, Field(ge=1, le=2000)] = 16
    timeout_s: Annotated[float, Field(gt=0, le=3600)] = 120.0
    requests_per_minute: Annotated[int, Field(ge=1)] | None = None
    tokens_per_minute: Annotated[int, Field(ge=1)] | None = None
    """What the provider allows, over all hosts of the service together; None: no limit of our own."""
    attempts: Annotated[int, Field(ge=1, le=20)] = 5
    """Requests spent on one question before it counts as failed; the first is among them."""
    max_wait_s: Annotated[float, Field(ge=0, le=3600)] = 60.0
    """The longest pause before a retry, whatever Retry-After asks."""
    samples: Samples = 1
    """How often critical criteria are asked; the majority decides, and its share is the confidence."""
    output: Output = "auto"
    """`schema` asks with a strict JSON schema, `json` for plain JSON, `auto` falls back once an endpoint refuses."""
    context_tokens: ContextTokens = 32_000
    """The model's window. A longer transcript is split at turn borders."""
    max_tokens: AnswerTokens = 8_192
    temperature: Temperature = 0.0
    seed: int | None = None
    logprobs: bool = False
    """Ask for the log-probabilities of an answer's tokens, by which confidences can be calibrated; given up where the
    endpoint refuses. Answers are longer on the line, and cost no more tokens."""
    price_prompt: Annotated[Decimal, Field(ge=0)] | None = None
    """US dollars per million prompt tokens. Without prices a cost is known only where litellm knows it."""
    price_cached: Annotated[Decimal, Field(ge=0)] | None = None
    """The same for prompt tokens that the provider's cache held; None: as the others."""
    price_completion: Annotated[Decimal, Field(ge=0)] | None = None
    cache: bool = True
    run_salt: str = ""
    """Another salt asks again instead of taking the cached answer."""

    @field_validator("model", "base_url", "api_key", mode="before")
    @classmethod
    def _unset(cls, value: object) -> object:
        """Files of settings for containers write what is not set as empty."""
        return None if value == "" else value


def model_name(model: str) -> str:
    """A recogniser's model as it is named to others: a directory by its last part, and no path of this machine."""
    place = Path(model).expanduser()
    return place.resolve().name if place.is_dir() else model


class ASRSettings(Group):
    """Which recogniser transcribes."""

    model: str = "paraformer-zh"
    """A model's name, a local directory, or `tiny` for the demo's own."""
    vad: str = "silero-vad"
    punctuation: str | None = None
    speakers: str | None = None
    device: str = "cpu"
    threads: Annotated[int, Field(ge=1, le=256)] = 2
    agent_channel: Literal["0", "1", "auto"] = "auto"
    max_minutes: Annotated[float, Field(gt=0, le=1440)] = 240.0


class RedactionSettings(Group):
    enabled: bool = True


class ServiceSettings(Group):
    """How `callgrade serve` listens, and what it takes from clients."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    max_upload_mb: Annotated[int, Field(ge=1, le=100_000)] = 512
    max_batch_lines: Annotated[int, Field(ge=1)] = 5_000_000
    chunk_lines: Annotated[int, Field(ge=1, le=5_000)] = 200
    """Calls of a batch that one piece of work holds."""
    requests_per_minute: Annotated[int, Field(ge=1)] = 6_000
    """Of one key."""
    allow_private_urls: bool = False
    """Whether recordings may be fetched from, and webhooks sent to, private and local addresses."""
    open_metrics: bool = False
    """Whether /metrics answers without a key: where nobody but the monitoring can reach it."""
    audio_hosts: Annotated[tuple[HostName, ...], BeforeValidator(_listed)] = ()
    """With any named, recordings are fetched from these hosts alone, and from private addresses of theirs too;
    `*.example.com` stands for every host below example.com. No ports."""


class DeskSettings(Group):
    """The pages, and how long people stay signed in to them."""

    url: Annotated[str, StringConstraints(pattern=r"^(https?://[^/\s]+)?$")] = ""
    """Where people reach the service, without a path: `https://qa.example.com`. Needed to sign in elsewhere; empty:
    this machine alone."""
    cookie_secure: bool | None = None
    """Whether cookies travel over TLS alone; None: where `url` says https."""
    idle_hours: Annotated[float, Field(gt=0, le=168)] = 8
    """After so long without a page somebody has to sign in again."""
    absolute_days: Annotated[float, Field(gt=0, le=90)] = 7
    """And so long after they signed in, whatever they did."""
    bulk_confidence: Annotated[float, Field(ge=0, le=1)] = 0.9
    """From here on proposals may be approved together."""
    audited_share: Annotated[float, Field(gt=0, le=1)] = 0.05
    """Of the calls that could be published unread, the share that people review blind instead, drawn by chance."""
    claim_minutes: Annotated[int, Field(ge=1, le=1440)] = 15
    """So long a colleague is told that somebody is at a review."""

    @property
    def over_tls(self) -> bool:
        return self.url.startswith("https://") if self.cookie_secure is None else self.cookie_secure


class OIDCSettings(Group):
    """An OpenID provider whose people sign in here."""

    issuer: Annotated[str, StringConstraints(pattern=r"^https?://\S+$")] | None = None
    """The one that is believed, to the letter; its `/.well-known/openid-configuration` tells the rest."""
    client_id: str = ""
    client_secret: SecretStr | None = None
    scopes: str = "openid profile email"
    label: str = ""
    """What the button on the sign-in page calls it; empty: "single sign-on"."""
    client: str = "default"
    """Whose people they are."""
    login_claim: str = "preferred_username"
    create: bool = False
    """Whether whoever the provider lets in becomes a user; else an admin makes users first."""
    role_claim: str = "groups"
    roles: Annotated[Mapping[str, PersonRole], BeforeValidator(_paired)] = {}
    """What the claim says → the role here, the first that fits, each time somebody signs in. Empty: admins decide."""
    team_claim: str | None = None
    """Tells an agent's team, a reviewer's teams, or which teams a lead leads; None: admins decide."""
    agent_claim: str | None = None
    """Tells an agent's id, as calls carry it."""


class MailSettings(Group):
    """The server that alerts are mailed through; without a host none is."""

    model_config = ConfigDict(**Group.model_config, populate_by_name=True)

    host: str = ""
    port: Annotated[int, Field(ge=1, le=65535)] = 587
    username: str = ""
    password: SecretStr | None = None
    sender: Annotated[str, Field(alias="from", pattern=r"^([^\s@<>,]+@[^\s@<>,]+)?$")] = ""
    """The address that mails come from."""
    tls: Literal["starttls", "tls", "none"] = "starttls"
    """`tls` is TLS from the first byte (often port 465)."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.host and not self.sender:
            raise ValueError("say which address mails come from: CALLGRADE_MAIL__FROM")
        if self.username and self.tls == "none":
            raise ValueError("a password is not sent in the clear: CALLGRADE_MAIL__TLS is starttls or tls")
        return self


class Settings(Group):
    """Everything that can be set.

    The URLs default to files in `data_dir`; with `database_url` at a PostgreSQL the engine goes there too.
    """

    llm: LLMSettings = LLMSettings()
    asr: ASRSettings = ASRSettings()
    redaction: RedactionSettings = RedactionSettings()
    service: ServiceSettings = ServiceSettings()
    desk: DeskSettings = DeskSettings()
    oidc: OIDCSettings = OIDCSettings()
    mail: MailSettings = MailSettings()
    database_url: str = ""
    engine_url: str = ""
    blob_url: str = ""
    queues: str = "asr,score"
    """Which queues this process works off, with commas between; empty: none, it only serves."""
    executor_id: str = ""
    """This process's name among the workers, the same after a restart; made up from the host's where it is empty."""
    data_dir: Path = Field(default_factory=lambda: user_data_path("callgrade"))
    timezone: str = "Asia/Shanghai"
    language: Language = "zh"

    @property
    def database(self) -> str:
        return self.database_url or f"sqlite:///{self.data_dir / 'callgrade.db'}"

    @property
    def engine(self) -> str:
        """A file of its own on SQLite, where one file would be locked by two writers; else where the database is."""
        if self.engine_url:
            return self.engine_url
        return f"sqlite:///{self.data_dir / 'engine.db'}" if self.database.startswith("sqlite") else self.database

    @property
    def blobs(self) -> str:
        return self.blob_url or str(self.data_dir / "blobs")

    @property
    def works_off(self) -> tuple[str, ...]:
        return tuple(name.strip() for name in self.queues.split(",") if name.strip())


GROUPS = ("llm", "asr", "redaction", "service", "desk", "oidc", "mail")


def load_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings. Raises SettingsError that names the variable or the file's key, and what it may be.

    An unknown `CALLGRADE_X__Y` is an error; any other unknown `CALLGRADE_…` only warns, because
    platforms such as Kubernetes inject names of their own.
    """
    environment = os.environ if environment is None else environment
    values = _from_file(environment.get(CONFIG))
    for name, text in sorted(environment.items()):
        if name.startswith(PREFIX) and name != CONFIG:
            _put(values, name, text)
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        raise SettingsError("\n".join(_explain(fault) for fault in error.errors())) from None


def _from_file(path: str | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        return tomllib.loads(Path(path).read_text("utf-8"))
    except OSError as error:
        raise SettingsError(f"{CONFIG}={path}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{CONFIG}={path}: is not TOML: {error}") from None


def _put(values: dict[str, Any], name: str, text: str) -> None:
    group, _, field = name.removeprefix(PREFIX).lower().partition("__")
    if field:
        known = _fields(group)
        if field not in known:
            raise SettingsError(f"{name}: no such setting.{_did_you_mean(name)}")
        values.setdefault(group, {})[field] = text
    elif group in Settings.model_fields and group not in GROUPS:
        values[group] = text
    else:
        warnings.warn(f"{name} is not a setting of callgrade and is ignored.{_did_you_mean(name)}", stacklevel=4)


def _fields(group: str) -> tuple[str, ...]:
    models: dict[str, type[BaseModel]] = {
        "llm": LLMSettings,
        "asr": ASRSettings,
        "redaction": RedactionSettings,
        "service": ServiceSettings,
        "desk": DeskSettings,
        "oidc": OIDCSettings,
        "mail": MailSettings,
    }
    return tuple(field.alias or name for name, field in models[group].model_fields.items()) if group in models else ()


def all_names() -> list[str]:
    """Every variable that can be set, in upper case."""
    single = [name for name in Settings.model_fields if name not in GROUPS]
    grouped = [f"{group}__{field}" for group in GROUPS for field in _fields(group)]
    return [PREFIX + name.upper() for name in (*grouped, *single)]


def _did_you_mean(name: str) -> str:
    close = difflib.get_close_matches(name, all_names(), n=1)
    return f" Did you mean {close[0]}?" if close else ""


def _explain(fault: Any) -> str:
    # the value itself stays out of the message: it may be a key
    return f"{PREFIX}{'__'.join(str(part).upper() for part in fault['loc'])}: {fault['msg']}"
