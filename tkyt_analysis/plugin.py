"""The parts of the core, declared the same way as a plug-in module declares its own."""

from tkyt_analysis.modules import Module

MODULE = Module(
    name="core",
    package="tkyt_analysis",
    doors={
        "dhis2": "tkyt_analysis.ingest.dhis2:DOOR",
        "form_workbook": "tkyt_analysis.ingest.form_workbook:DOOR",
        "tabular": "tkyt_analysis.ingest.tabular:DOOR",
    },
)
