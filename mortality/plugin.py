"""What the mortality module adds to the workbench."""

from tkyt_analysis.modules import Module

MODULE = Module(
    name="mortality",
    package="mortality",
    practice={"deaths": "mortality.practice.source:SOURCE"},
    commands={"deaths": "mortality.cli:deaths"},
    doors={
        "death_register": "mortality.death_register:DOOR",
        "certificate": "mortality.certificate_csv:DOOR",
        "death_line_list": "mortality.line_list:DOOR",
    },
)
