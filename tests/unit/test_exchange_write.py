"""What is exported in any format and read back by our own doors is the same set of values."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ingest_support import Known, read_all, received
from support import table

from tkyt_analysis.errors import InputError
from tkyt_analysis.exchange.door import DOOR as XML_DOOR
from tkyt_analysis.exchange.write import COLUMNS, WRITERS, write_values
from tkyt_analysis.ingest.dhis2 import DOOR as DHIS2_DOOR

ALIASES = table("""
    source | alias       | unit_id
    DHIS2  | unitAAAAAAA | DHIS2:unitAAAAAAA
""")
UNITS = table("""
    unit_id
    VN2024:21019
    VN2025:21040
""")
ELEMENTS = table("""
    element_id  | code | value_type | dataset_id  | status
    cases000000 |      | NUMBER     | form0000001 | described
    a&b <"x">   |      | NUMBER     | form0000001 | described
""")
KNOWN = Known({"unit_alias": ALIASES, "organisation_unit": UNITS, "data_element": ELEMENTS})
DOORS = {"adx": XML_DOOR, "dxf2-xml": XML_DOOR, "dxf2-json": DHIS2_DOOR, "csv": DHIS2_DOOR}

PLACES_AND_TIMES = st.sampled_from(
    [("DHIS2:unitAAAAAAA", p) for p in ("202501", "202512", "2025Q2", "2025S1", "2025", "2026W53")]
    + [("VN2024:21019", "202406"), ("VN2025:21040", "202508")]
)
KEYS = st.tuples(
    st.sampled_from(["cases000000", 'a&b <"x">']),
    st.sampled_from(["", "female00000", "female00000.donor000000"]),
    PLACES_AND_TIMES,
)
VALUES = st.one_of(st.integers(0, 10**9).map(float), st.floats(0, 1e6).map(lambda x: round(x, 3)))


def frame(values):
    rows = [
        ("form0000001", element, category, unit, period, value)
        for (element, category, (unit, period)), value in values.items()
    ]
    return pd.DataFrame(rows, columns=COLUMNS).sort_values(COLUMNS[:5], ignore_index=True)


def read_back(path, kind):
    answer = read_all(DOORS[kind], received(path), KNOWN)
    assert answer.reasons == []
    return answer.values[COLUMNS].sort_values(COLUMNS[:5], ignore_index=True)


@pytest.mark.parametrize("kind", list(WRITERS))
@given(values=st.dictionaries(KEYS, VALUES, min_size=1, max_size=12))
@settings(max_examples=25)
def test_values_written_and_read_back_are_the_same(tmp_path_factory, kind, values):
    path = tmp_path_factory.mktemp("out") / ("values.csv" if kind == "csv" else "values.txt")
    written = frame(values)
    assert write_values(iter([written.iloc[:1], written.iloc[1:]]), path, kind) == len(values)
    pd.testing.assert_frame_equal(read_back(path, kind), written, check_dtype=False)


@pytest.mark.parametrize("period", ["202507A", "2025C9"])
def test_adx_says_periods_that_dhis2_has_no_code_for_and_the_others_refuse_them(tmp_path, period):
    values = frame({("cases000000", "age=under5;sex=F", ("DHIS2:unitAAAAAAA", period)): 3.0})
    write_values(iter([values]), tmp_path / "v.xml", "adx")
    pd.testing.assert_frame_equal(read_back(tmp_path / "v.xml", "adx"), values, check_dtype=False)
    for kind in ("csv", "dxf2-json", "dxf2-xml"):
        with pytest.raises(InputError, match=period):
            write_values(iter([values]), tmp_path / "other", kind)
        assert not list(tmp_path.glob("other*"))  # whole or not at all


def test_an_unknown_format_is_told_with_those_that_exist(tmp_path):
    with pytest.raises(InputError, match="adx"):
        write_values(iter([]), tmp_path / "v", "sdmx")
