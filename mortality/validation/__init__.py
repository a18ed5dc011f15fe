"""Tests of single death records beyond those of `mortality.quality`, each a `RecordTest`.

A module of tests has `TESTS: dict[str, RecordTest]` and one line here; rules (`data_catalog/rules/death_*.yaml`) name the tests.
"""

TEST_MODULES: tuple[str, ...] = (
    "mortality.validation.identity_tests",
    "mortality.validation.calendar_tests",
    "mortality.validation.person_tests",
    "mortality.validation.edit_tests",
)
