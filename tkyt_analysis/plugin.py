"""The parts of the core, declared the same way as a plug-in module declares its own."""

from tkyt_analysis.modules import Module

RELEASE = "tkyt_analysis.warehouse.release_tables"
CHECKS = "tkyt_analysis.quality.core_checks"
SPECIAL = "tkyt_analysis.quality.special.checks"
REPORTING = "tkyt_analysis.quality.reporting.checks"

MODULE = Module(
    name="core",
    package="tkyt_analysis",
    commands={
        "analyse": "tkyt_analysis.cli.analyse:analyse",
        "calendar": "tkyt_analysis.cli.submissions:calendar",
        "check-panel": "tkyt_analysis.cli.check_panel:check_panel",
        "submission": "tkyt_analysis.cli.submissions:submission",
        "scope": "tkyt_analysis.cli.scope:scope",
        "audit": "tkyt_analysis.cli.audit:audit",
        "case": "tkyt_analysis.cli.cases:case",
        "errors": "tkyt_analysis.cli.errors:errors",
        "exchange": "tkyt_analysis.cli.exchange:exchange",
        "form": "tkyt_analysis.cli.forms:form",
        "gallery": "tkyt_analysis.cli.gallery:gallery",
        "dhis2": "tkyt_analysis.cli.gateway:dhis2",
        "key": "tkyt_analysis.cli.storage:key",
        "lab": "tkyt_analysis.cli.lab:lab",
        "migrate": "tkyt_analysis.cli.storage:migrate",
        "notebook": "tkyt_analysis.cli.notebooks:notebook",
        "backup": "tkyt_analysis.cli.custody:backup",
        "restore": "tkyt_analysis.cli.custody:restore",
        "verify": "tkyt_analysis.cli.custody:verify",
        "compact": "tkyt_analysis.cli.vintages:compact",
        "quality": "tkyt_analysis.cli.desk_review:quality",
        "revisions": "tkyt_analysis.cli.vintages:revisions",
        "rule": "tkyt_analysis.cli.rules:rule",
        "series": "tkyt_analysis.cli.series:series",
    },
    doors={
        "dhis2": "tkyt_analysis.ingest.dhis2:DOOR",
        "exchange": "tkyt_analysis.exchange.door:DOOR",
        "dhis2_gateway": "tkyt_analysis.gateway.door:DOOR",
        "form_workbook": "tkyt_analysis.ingest.form_workbook:DOOR",
        "tabular": "tkyt_analysis.ingest.tabular:DOOR",
        "supplied": "tkyt_analysis.ingest.supplied:DOOR",
        "case_reply": "tkyt_analysis.quality.cases.reply_door:DOOR",
    },
    steps={
        "05_submissions": "tkyt_analysis.workflow.adopt:adopt_reports",
    },
    practice={
        "10_dhis2": "tkyt_analysis.practice.dhis2:SOURCE",
        "20_population": "tkyt_analysis.practice.population_files:SOURCE",
        "30_facilities": "tkyt_analysis.practice.facility_file:SOURCE",
        "40_domain_data": "tkyt_analysis.practice.domain_data:SOURCE",
        "45_line_lists": "tkyt_analysis.practice.line_lists:SOURCE",
    },
    release_tables={
        name: f"{RELEASE}:{name}"
        for name in (
            "organisation_unit",
            "facility",
            "population",
            "data_element",
            "data_set",
            "aggregate_value",
            "reporting",
            "finding",
            "rule_coverage",
            "received",
            "quarantine_summary",
        )
    }
    | {"submission": "tkyt_analysis.workflow.release:submission"}
    | {
        name: f"tkyt_analysis.quality.reporting.release_tables:{name}"
        for name in ("reporting_rate", "reporting_lag", "unit_episode")
    }
    | {name: f"tkyt_analysis.warehouse.domain_tables:{name}" for name in ("programme_indicator", "event_count")}
    | {
        name: f"tkyt_analysis.cube.release_tables:{name}"
        for name in ("place", "category", "province_value", "province_report", "province_finding")
    }
    | {name: f"tkyt_analysis.quality.consequence_release:{name}" for name in ("finding_consequence", "adjusted_total")}
    | {"question_rank": "tkyt_analysis.quality.ranking:question_rank"}
    | {"desk_review": "tkyt_analysis.quality.desk_review.release:desk_review"}
    | {"integrity": "tkyt_analysis.quality.integrity.checks:integrity"}
    | {name: f"tkyt_analysis.quality.cases.release:{name}" for name in ("quality_case", "quality_trend")}
    | {name: f"tkyt_analysis.quality.scores.release:{name}" for name in ("quality_score", "quality_rank")}
    | {"truth_score": "tkyt_analysis.practice.score:truth_score"},
    checks={
        "check_missing_reports": f"{REPORTING}:REPORT_MISSING",
        "marked_without_data": f"{REPORTING}:REPORT_MARKED_WITHOUT_DATA",
        "data_without_mark": f"{REPORTING}:DATA_WITHOUT_MARK",
        "late_reports": f"{REPORTING}:REPORT_LATE",
        "more_received_than_expected": f"{REPORTING}:MORE_RECEIVED_THAN_EXPECTED",
        "unit_fell_silent": f"{REPORTING}:UNIT_FELL_SILENT",
        "missing_not_at_random": f"{REPORTING}:MISSING_NOT_AT_RANDOM",
        "zeros_not_stored": f"{REPORTING}:ZEROS_NOT_STORED",
        "zero_or_missing": f"{REPORTING}:ZERO_OR_MISSING",
        "duplicate_submissions": f"{REPORTING}:DUPLICATE_SUBMISSIONS",
        "revised_reports": f"{REPORTING}:REPORT_REVISED",
        "integrity": "tkyt_analysis.quality.integrity.checks:INTEGRITY",
        "duplicate_deaths": f"{CHECKS}:DUPLICATE_DEATHS",
        "special_cumulative": f"{SPECIAL}:CUMULATIVE",
        "special_two_in_one": f"{SPECIAL}:TWO_IN_ONE",
        "special_copied_form": f"{SPECIAL}:COPIED_FORM",
        "special_misplaced": f"{SPECIAL}:MISPLACED",
        "special_swapped_units": f"{SPECIAL}:SWAPPED_UNITS",
        "special_heaping": f"{SPECIAL}:HEAPING",
        "special_invented": f"{SPECIAL}:INVENTED",
        "special_not_a_count": f"{SPECIAL}:NOT_A_COUNT",
        "special_learned_relation": f"{SPECIAL}:LEARNED_RELATION",
        "special_related_counts": f"{SPECIAL}:RELATED_COUNTS",
        "special_level_shift": f"{SPECIAL}:LEVEL_SHIFT",
        "check_outliers": "tkyt_analysis.quality.model.check:CHECK",
        "expression": "tkyt_analysis.quality.rules.check:EXPRESSION",
        "anchor_outliers": "tkyt_analysis.quality.anchors.check:ANCHOR_OUTLIERS",
        "dataset_expression": "tkyt_analysis.quality.rules.check:DATASET_EXPRESSION",
    },
    measures={"core": "tkyt_analysis.cube.core_measures:core_measures"},
    facts={"core": "tkyt_analysis.cube.core_measures:core_fact"},
    hiv_records={"record_identity": "tkyt_analysis.access.hiv:CASES"},
    gates={
        "05_case_reply": "tkyt_analysis.quality.cases.reply_gate:case_reply_gate",  # says which unit an answer is of
        "10_scope": "tkyt_analysis.access.gates:keep_to_scope",
        "90_locked_reports": "tkyt_analysis.workflow.gate:guard_locked_reports",
        "95_replacement": "tkyt_analysis.correction.replacement:replacement_gate",  # on the rows that will land
        "99_identifiers": "tkyt_analysis.access.gates:withhold_identifiers",  # last: on all that the others wrote
    },
    gallery={
        "charts": "tkyt_analysis.gallery.charts:exhibits",
        "maps": "tkyt_analysis.gallery.maps:exhibits",
        "trends": "tkyt_analysis.gallery.trends:exhibits",
        "areas": "tkyt_analysis.gallery.areas:exhibits",
        "reports": "tkyt_analysis.gallery.reports:exhibits",
    },
)
