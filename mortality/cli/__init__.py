"""The `tkyt deaths` commands: thin doors to the functions of this module, each loaded only when it is asked for."""

from __future__ import annotations

import click

from tkyt_analysis.labels import label
from tkyt_analysis.modules import load_object

COMMANDS = {
    "unmatched": "mortality.cli.unmatched:unmatched",
    "tabulate": "mortality.cli.tabulate:tabulate",
    "template": "mortality.cli.template:template",
    "underlying": "mortality.cli.underlying:underlying",
    "code": "mortality.cli.code:code",
    "coder": "mortality.cli.coder:coder",
    "edit": "mortality.cli.edit:edit",
    "garbage": "mortality.cli.garbage:garbage",
    "import": "mortality.cli.imports:import_command",
    "show": "mortality.cli.show:show",
    "link": "mortality.cli.link:link",
    "measures": "mortality.cli.measures:measures",
    "page": "mortality.cli.page:page",
    "review": "mortality.cli.review:review",
    "va": "mortality.cli.va:va",
    "va-compare": "mortality.cli.va:va_compare",
    "validate": "mortality.cli.validate:validate",
}


class LazyGroup(click.Group):
    """A group whose commands stand in COMMANDS."""

    def list_commands(self, context: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        reference = COMMANDS.get(name)
        command: click.Command | None = load_object(reference) if reference else None
        return command


@click.group(cls=LazyGroup, help=label("cli.deaths"))
def deaths() -> None:
    """The group itself does nothing."""
