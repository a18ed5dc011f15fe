"""Who may do what, where: one function decides, every door (command, notebook, app, report) asks it."""

from tkyt_analysis.access.decision import ACTIONS, NATION, ROLES, Account, Decision, Scope, decide
from tkyt_analysis.access.door import current_account, require

__all__ = ["ACTIONS", "NATION", "ROLES", "Account", "Decision", "Scope", "current_account", "decide", "require"]
