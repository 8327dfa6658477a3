"""The records that `wit/copilot-keyless.wit` documents. Times are epoch milliseconds, durations
milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

ProviderType = Literal["openai", "azure", "anthropic"]
WireApi = Literal["responses", "completions"]
Phase = Literal["empty", "fresh", "due", "expired", "closed"]
Pairs = list[tuple[str, str]]


@dataclass(frozen=True)
class Notice:
    code: str
    message: str


@dataclass(frozen=True)
class AccessToken:
    token: str = field(repr=False)
    expires_on_timestamp: int
    refresh_after_timestamp: int | None


@dataclass(frozen=True)
class Now:
    wall: int
    mono: int


@dataclass(frozen=True, kw_only=True)
class RefreshPolicy:
    refresh_before_expiry_ms: int | None = None
    long_lived_ms: int | None = None
    jitter_ms: int | None = None
    min_remaining_ms: int | None = None
    retry_min_ms: int | None = None
    retry_max_ms: int | None = None
    wait_timeout_ms: int | None = None
    background_timeout_ms: int | None = None
    invalidate_interval_ms: int | None = None
    max_lifetime_ms: int | None = None


@dataclass(frozen=True)
class FlightStart:
    flight: int
    timeout_ms: int


@dataclass(frozen=True)
class UseToken:
    """Return the cached token."""

    phase: Phase
    until_wall: int
    until_mono: int
    start: FlightStart | None


@dataclass(frozen=True)
class WaitForFlight:
    flight: int
    timeout_ms: int
    start: bool


@dataclass(frozen=True)
class Refuse:
    """Raise the last error again."""

    retry_after_ms: int


@dataclass(frozen=True)
class Closed:
    """The provider is closed."""


Decision = UseToken | WaitForFlight | Refuse | Closed


@dataclass(frozen=True)
class Answer:
    requested: Now
    expires_on: int
    refresh_after: int | None


@dataclass(frozen=True, kw_only=True)
class Failure:
    status: int | None = None
    unavailable: bool = False
    retry_after_ms: int | None = None


@dataclass(frozen=True)
class ErrorDetail:
    code: str
    message: str
    hint: str | None


@dataclass(frozen=True)
class Outcome:
    """`after_ms` is set for `retry`, `error` for `refused`."""

    result: Literal["accepted", "unchanged", "retry", "failed", "refused", "ignored"]
    after_ms: int | None = None
    error: ErrorDetail | None = None


@dataclass(frozen=True)
class Status:
    state: Phase
    expires_on: int | None
    refresh_on: int | None
    next_attempt_on: int | None
    refreshing: bool
    consecutive_failures: int


@dataclass(frozen=True, kw_only=True)
class EndpointOptions:
    type: ProviderType | None = None
    api_version: str | None = None
    scope: str | None = None


@dataclass(frozen=True)
class Endpoint:
    input: str
    url: str
    kind: str
    cloud: Literal["public", "usgov", "china", "unknown"]
    type: ProviderType
    base_url: str
    scope: str | None
    alternate_scopes: list[str]
    authority_host: str | None
    resource: str | None
    project: str | None
    deployment: str | None
    api_version: str | None
    warnings: list[Notice]


@dataclass(frozen=True, kw_only=True)
class ProviderRequest:
    endpoint: str | None = None
    model: str | None = None
    deployment: str | None = None
    scope: str | None = None
    type: ProviderType | None = None
    wire_api: WireApi | None = None
    api_version: str | None = None
    headers: Pairs = field(default_factory=list[tuple[str, str]])
    max_prompt_tokens: float | None = None
    max_output_tokens: float | None = None
    own_credential: bool = False
    env: Pairs = field(default_factory=list[tuple[str, str]], repr=False)


@dataclass(frozen=True)
class ProviderConfig:
    type: ProviderType
    wire_api: WireApi | None
    base_url: str
    api_version: str | None
    headers: Pairs
    model_id: str | None
    wire_model: str | None
    max_prompt_tokens: int | None
    max_output_tokens: int | None


@dataclass(frozen=True)
class CredentialPlan:
    kind: str
    source: str
    host: str | None
    client_id: str | None
    client_id_source: str | None
    tenant_id: str | None
    tenant_id_source: str | None
    authority_host: str | None
    warnings: list[Notice]


@dataclass(frozen=True)
class Sources:
    endpoint: str
    model: str
    scope: str


@dataclass(frozen=True)
class ProviderPlan:
    endpoint: Endpoint
    model: str
    config: ProviderConfig
    scope: str | None
    credential: CredentialPlan
    sources: Sources
    warnings: list[Notice]


@dataclass(frozen=True, kw_only=True)
class FailedRequest:
    endpoint: str | None = None
    options: EndpointOptions = EndpointOptions()
    status: int
    headers: Pairs = field(default_factory=list[tuple[str, str]])
    body: str | None = None
    token: str | None = field(default=None, repr=False)
    now: int | None = None
    deployment: str | None = None
    wire_api: str | None = None
    agent: str | None = None


@dataclass(frozen=True)
class RateLimit:
    used_up: str | None
    limit: int | None
    remaining: int | None
    resets_in_ms: int | None
    waiting_helps: bool
    abuse_penalty: bool
    spilled_over: bool


@dataclass(frozen=True)
class Diagnosis:
    code: str
    title: str
    cause: str
    fixes: list[str]
    retryable: bool
    token_rejected: bool
    status: int | None
    message: str | None
    retry_after_ms: int | None
    request_id: str | None
    rate_limit: RateLimit | None
