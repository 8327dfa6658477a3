"""Creates the Copilot SDK's provider and its tokens for one Foundry endpoint."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from azure.identity import DefaultAzureCredential, ManagedIdentityCredential
from copilot.session import ProviderConfig

from . import types
from .core import Core
from .errors import KeylessError
from .tokens import Credential, TokenProvider

# Secret variables: the core receives only whether they are set.
_SECRETS = (
    *("SECRET", "PASSWORD", "IDENTITY_HEADER", "API_KEY", "PROXY", "CERTIFICATE"),
    *("REQUEST_TOKEN", "ACCESSTOKEN"),
)


class FoundryProvider:
    """A Foundry provider from options and the environment. Sends nothing until it needs a token.

    Raises `KeylessError`: `endpoint/...`, `provider/...`, `credential/configuration`.
    """

    def __init__(
        self,
        endpoint: str | None = None,
        model: str | None = None,
        *,
        deployment: str | None = None,
        scope: str | None = None,
        credential: Credential | Callable[[], Credential] | None = None,
        policy: types.RefreshPolicy = types.RefreshPolicy(),
        env: Mapping[str, str] = os.environ,
        core: Core | None = None,
    ) -> None:
        core = core or Core.shared()
        self.plan = core.plan_provider(
            types.ProviderRequest(
                endpoint=endpoint,
                model=model,
                deployment=deployment,
                scope=scope,
                own_credential=credential is not None,
                env=[(name, _seen(name, value)) for name, value in env.items()],
            )
        )
        if self.plan.scope is None:
            raise KeylessError(
                "provider/scope",
                f"No token scope is known for {self.plan.endpoint.url}",
                "Set FOUNDRY_TOKEN_SCOPE, or the scope option, such as https://ai.azure.com/.default.",
            )
        self.model = self.plan.model
        self.tokens = TokenProvider(
            credential or _default_credential(self.plan.credential), self.plan.scope, policy=policy, core=core
        )

    def config(self) -> ProviderConfig:
        """Returns the config with a token callback, called before each model request."""
        config = self._plain()
        config["bearer_token_provider"] = self.tokens
        return config

    async def static_config(self) -> ProviderConfig:
        """Returns the config with a fixed token, for sessions that end before it expires."""
        config = self._plain()
        config["bearer_token"] = await self.tokens()
        return config

    def close(self) -> None:
        self.tokens.close()

    def _plain(self) -> ProviderConfig:
        plan = self.plan.config
        config = ProviderConfig(type=plan.type, base_url=plan.base_url)
        if plan.wire_api is not None:
            config["wire_api"] = plan.wire_api
        if plan.api_version is not None:
            config["azure"] = {"api_version": plan.api_version}
        if plan.headers:
            config["headers"] = dict(plan.headers)
        if plan.model_id is not None:
            config["model_id"] = plan.model_id
        if plan.wire_model is not None:
            config["wire_model"] = plan.wire_model
        if plan.max_prompt_tokens is not None:
            config["max_prompt_tokens"] = plan.max_prompt_tokens
        if plan.max_output_tokens is not None:
            config["max_output_tokens"] = plan.max_output_tokens
        return config


def _seen(name: str, value: str) -> str:
    secret = any(part in name.upper() for part in _SECRETS)
    return "set" if secret and value.strip() else value


def _default_credential(plan: types.CredentialPlan) -> Callable[[], Credential]:
    """Creates the credential that the environment chooses, a new one for each token."""
    if plan.kind == "managed-identity":
        return lambda: ManagedIdentityCredential(client_id=plan.client_id)
    authority = {} if plan.authority_host is None else {"authority": plan.authority_host}
    return lambda: DefaultAzureCredential(**authority)
