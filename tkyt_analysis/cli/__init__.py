"""The command `tkyt`. `main` is the entry point; commands live in `commands.py` and in the modules."""

from tkyt_analysis.cli.main import main

__all__ = ["main"]
