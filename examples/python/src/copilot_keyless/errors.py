"""Defines the package's error, and classifies the exceptions of credentials."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from azure.core.exceptions import HttpResponseError, ServiceRequestError, ServiceResponseError
from azure.identity import CredentialUnavailableError


class KeylessError(Exception):
    """An error with a stable code. It never contains a token or a secret."""

    def __init__(self, code: str, message: str, hint: str | None = None, status: int | None = None) -> None:
        super().__init__(f"{message} ({code})" if hint is None else f"{message} ({code}) {hint}")
        self.code = code
        self.message = message
        self.hint = hint
        self.status = status


@dataclass(frozen=True)
class CredentialFailure:
    """The schedule's view of a credential's exception, and the error for callers."""

    status: int | None
    unavailable: bool
    retry_after_ms: int | None
    error: KeylessError


def credential_failure(error: BaseException) -> CredentialFailure:
    """Classifies an exception of a credential."""
    unavailable = isinstance(error, CredentialUnavailableError)
    response = error.response if isinstance(error, HttpResponseError) else None
    status = None if response is None else response.status_code
    headers: Mapping[str, str] = getattr(response, "headers", {})
    retry_after = headers.get("Retry-After", "")
    code, message = _described(error, status, unavailable)
    ours = KeylessError(code, message, "Its own words are the cause of this error.", status)
    ours.__cause__ = error
    return CredentialFailure(
        status, unavailable, int(retry_after) * 1_000 if retry_after.isdecimal() else None, ours
    )


def _described(error: BaseException, status: int | None, unavailable: bool) -> tuple[str, str]:
    if status == 429:
        return "credential/throttled", "The identity endpoint asks for fewer requests"
    if status is not None and status >= 500:
        return "credential/server-error", f"The identity endpoint failed with status {status}"
    if status is not None and status >= 400:
        return "credential/refused", f"The identity endpoint refused with status {status}"
    if unavailable:
        return "credential/unavailable", "The credential cannot be used here"
    if isinstance(error, (ServiceRequestError, ServiceResponseError)):
        return "credential/network", "The identity endpoint cannot be reached"
    return "credential/failed", f"The credential failed with {type(error).__name__}"
