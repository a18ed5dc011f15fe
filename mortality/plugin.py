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
    steps={"10_code_deaths": "mortality.pipeline:code_registered_deaths"},
    release_tables={
        "death": "mortality.release_tables:death",
        "death_flow": "mortality.release_tables:death_flow",
        "deaths_by_cause": "mortality.release_tables:deaths_by_cause",
        "indicator_value": "mortality.release_tables:indicator_value",
    },
    explainers={
        "deaths": "mortality.explain:explain_deaths",
        "population": "mortality.explain:explain_population",
    },
)
