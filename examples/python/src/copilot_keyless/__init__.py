"""The GitHub Copilot SDK with Microsoft Foundry and no API key, in Python.

What is decided, a WebAssembly component decides, the same that serves other languages; this package asks the credential, keeps
the token and waits.
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
