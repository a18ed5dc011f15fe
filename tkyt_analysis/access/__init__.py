"""Who may do what, where: one function decides, every door (command, notebook, app, report) asks it."""

from tkyt_analysis.access.decision import ACTIONS, NATION, ROLES, Account, Decision, Scope, decide
from tkyt_analysis.access.door import acting_as, current_account, require, require_whole_home, working_within

__all__ = [
    "ACTIONS", "NATION", "ROLES", "Account", "Decision", "Scope",
    "acting_as", "current_account", "decide", "require", "require_whole_home", "working_within",
]  # fmt: skip
