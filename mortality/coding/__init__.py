"""Words on the certificate or the register → ICD-10 codes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mortality.coding.suggest import Candidate, code_deaths, suggest_codes

__all__ = ["Candidate", "code_deaths", "suggest_codes"]


def __getattr__(name: str) -> Any:
    """The engine is loaded at its first use: `tkyt --help` does not wait for it."""
    if name in __all__:
        from mortality.coding import suggest

        return getattr(suggest, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
