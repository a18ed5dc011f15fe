"""Entry point of `tkyt`: language, plug-in commands, and errors as sentences with their exit codes.

Exit codes: 0 done, 1 findings at or above --fail-on, 2 wrong use or input, 3 it failed.
"""

from __future__ import annotations

import os
import sys
import traceback

import click

from tkyt_analysis.errors import TkytError
from tkyt_analysis.labels import LANGUAGES, label, set_language

FAILED = 3
WRONG_USE = 2


def main(arguments: list[str] | None = None) -> None:
    """Run `tkyt` with the given arguments (default: those of the process) and leave with its exit code."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: list[str]) -> int:
    """The exit code of a run; every message to people has been printed."""
    arguments, options = _global_options(arguments)
    try:
        set_language(options["language"])
    except ValueError:
        set_language("vi")
        return _say(label("cli.unknown_language", found=options["language"], choices=", ".join(LANGUAGES)), WRONG_USE)
    from tkyt_analysis.cli.commands import tkyt

    try:
        outcome = tkyt.main(arguments, prog_name="tkyt", standalone_mode=False)
        return outcome if isinstance(outcome, int) else 0
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.Abort:
        return _say(label("cli.interrupted"), FAILED)
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "tkyt"
        return _say(label("cli.wrong_use", problem=error.format_message(), command=command), WRONG_USE)
    except TkytError as error:
        return _failed(error.sentence(), error.exit_code, debug=options["debug"])
    except KeyboardInterrupt:
        return _say(label("cli.interrupted"), FAILED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        from tkyt_analysis.access.masking import mask_text  # what a library says may repeat what stood in a cell

        problem = mask_text(f"{type(error).__name__}: {error}".splitlines()[0])
        return _failed(label("cli.unexpected", problem=problem), FAILED, debug=options["debug"])


def _global_options(arguments: list[str]) -> tuple[list[str], dict[str, str]]:
    """`--language X` and `--debug` may stand anywhere; the rest goes to the command."""
    options = {"language": os.environ.get("TKYT_LANGUAGE") or "vi", "debug": ""}
    rest = []
    waiting = iter(arguments)
    for argument in waiting:
        if argument == "--language":
            options["language"] = next(waiting, "")
        elif argument.startswith("--language="):
            options["language"] = argument.partition("=")[2]
        elif argument == "--debug":
            options["debug"] = "yes"
        else:
            rest.append(argument)
    return rest, options


def _say(sentence: str, code: int) -> int:
    click.echo(sentence, err=True)
    return code


def _failed(sentence: str, code: int, *, debug: str) -> int:
    if debug:
        traceback.print_exc()
    return _say(sentence, code)
