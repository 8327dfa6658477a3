"""The GitHub Copilot SDK with Microsoft Foundry and no API key, in Python.

A WebAssembly component, the same for all languages, makes the decisions. This package calls the
credential, caches the token and waits.
"""

from .agent import ManagedIdentityCopilotAgent
from .core import Core, Schedule
from .errors import KeylessError
from .provider import FoundryProvider
from .tokens import TokenProvider

__all__ = [
    "Core",
    "FoundryProvider",
    "KeylessError",
    "ManagedIdentityCopilotAgent",
    "Schedule",
    "TokenProvider",
]
