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
        "certificate_list": "mortality.documents.lists:CERTIFICATE_DOOR",
        "civil_registration_list": "mortality.documents.lists:CIVIL_DOOR",
        "death_notice_list": "mortality.documents.lists:NOTICE_DOOR",
        "sent_home_list": "mortality.documents.lists:SENT_HOME_DOOR",
        "certificate_form": "mortality.documents.forms:CERTIFICATE_FORM_DOOR",
        "death_notice_form": "mortality.documents.forms:NOTICE_FORM_DOOR",
        "death_notice_xml": "mortality.documents.notice_xml:DOOR",
        "verbal_autopsy": "mortality.documents.verbal_autopsy:DOOR",
    },
    steps={
        "10_code_deaths": "mortality.pipeline:code_registered_deaths",
        "20_match_deaths": "mortality.quality.matching:match_deaths",
    },
    checks={
        "check_death_record": "mortality.quality.record_checks:RECORD",
        "check_death_share": "mortality.quality.unit_checks:SHARE",
        "check_death_same_day": "mortality.quality.unit_checks:SAME_DAY",
        "check_death_age_heaping": "mortality.quality.age_heaping:HEAPING",
        "check_missing_deaths": "mortality.quality.missing_deaths:MISSING",
        "check_form_counts": "mortality.quality.form_counts:FORM_COUNTS",
        "check_not_in_book": "mortality.quality.list_checks:NOT_IN_BOOK_CHECK",
        "check_taken_home": "mortality.quality.list_checks:TAKEN_HOME_CHECK",
    },
    release_tables={
        "death_reconciliation": "mortality.quality.release:death_reconciliation",
        "death_age_quality": "mortality.quality.release:death_age_quality",
        "death": "mortality.release_tables:death",
        "death_flow": "mortality.release_tables:death_flow",
        "deaths": "mortality.persons_release.deaths:deaths",
        "deaths_flow": "mortality.persons_release.flow:deaths_flow",
        "deaths_by_cause": "mortality.release_tables:deaths_by_cause",
        "indicator_value": "mortality.release_tables:indicator_value",
        "registered_population": "mortality.release_tables:registered_population",
        "province_death": "mortality.release_tables:province_death",
        "province_death_cause": "mortality.release_tables:province_death_cause",
        "province_person": "mortality.release_tables:province_person",
    },
    measures={"mortality": "mortality.cube:mortality_measures"},
    facts={"mortality": "mortality.cube:mortality_fact"},
    code_maps={"cause": "mortality.cube:cause_items"},
    code_names={"cause": "mortality.cube:cause_names"},
    explainers={
        "deaths": "mortality.explain:explain_deaths",
        "population": "mortality.explain:explain_population",
    },
    hiv_records={
        "death_identity": "mortality.hiv:DEATHS",
        "verbal_autopsy_identity": "mortality.hiv:DEATHS",
        "sent_home_identity": "mortality.hiv:SENT_HOME",
    },
)
