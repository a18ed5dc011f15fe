"""Sex: missing, against the name (weak evidence), against another list; and the mark of a maternal death."""

from __future__ import annotations

from mortality.quality.matches import OTHER_LIST, prepare_other_lists
from mortality.quality.record_checks import RecordTest

TESTS = {
    "sex_missing": RecordTest(
        field="sex",
        alone=True,
        judged="r.sex_in_file", breach="r.sex NOT IN ('male', 'female')", verdict="missing", probability="1.0"
    ),
    "sex_against_name": RecordTest(
        field="sex",
        alone=True,
        judged="r.sex IN ('male', 'female') AND r.name_sex <> ''",
        breach="r.sex <> r.name_sex",
        fields={"sex": "r.sex", "name_sex": "r.name_sex"},
        probability="0.7",
    ),
    "sex_on_another_list": RecordTest(
        field="sex",
        judged="r.source = 'a6' AND r.sex IN ('male', 'female') AND o.sex IN ('male', 'female')",
        breach="r.sex <> o.sex",
        joins=OTHER_LIST,
        fields={"sex": "r.sex", "other_source": "o.source"},
        prepare=prepare_other_lists,
        probability="0.7",
    ),
    "maternal_mark": RecordTest(
        field="maternal_death",
        alone=True,
        judged="r.maternal_death IS NOT NULL",
        breach="r.maternal_death AND (r.sex = 'male' OR r.age_years NOT BETWEEN {youngest} AND {oldest})",
        value="r.age_years",
        lower="{youngest}",
        upper="{oldest}",
        fields={"sex": "r.sex"},
        probability="0.9",
    ),
    "maternal_mark_and_cause": RecordTest(
        field="maternal_death",
        alone=True,
        judged="r.maternal_death IS NOT NULL AND r.code <> ''",
        breach="r.maternal_death <> (regexp_matches(r.code, '^(O([0-8]|9[0-58-9])|A34)'))",
        fields={"marked": "r.maternal_death"},
        probability="0.5",
    ),
}  # fmt: skip
