"""What the doors call: who is at work here, and may they."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

from tkyt_analysis.access.decision import NATION, Account, Scope, decide
from tkyt_analysis.errors import InputError


def current_account(home: Path) -> Account:
    """The account of the operating-system user; a home without accounts is its owner's alone, with the whole nation."""
    name = pwd.getpwuid(os.getuid()).pw_name
    return Account(name, "ministry", NATION, Scope(nation=True), frozenset({"identifiers", "hiv"}))


def require(home: Path, action: str, *, table: str | None = None, place: str | None = None) -> Account:
    """The current account, or an InputError that says what it may not do and whom to ask."""
    account = current_account(home)
    decision = decide(account, action, table=table, place=place)
    if not decision.allowed:
        raise InputError(decision.reason or "error.access_denied", **decision.fields)
    return account
