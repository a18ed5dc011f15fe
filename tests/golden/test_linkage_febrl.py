"""FEBRL3: 5,000 invented Australian records, 2,000 persons with up to five damaged copies; all pairs count, found by blocking or not.

Freely Extensible Biomedical Record Linkage, dataset 3 (Christen 2008). Measured bounds of quality.md section 6.
"""

import sys

import duckdb
import pytest
from support import REPOSITORY, reference_path

sys.path.insert(0, str(REPOSITORY / "benchmarks"))

pytestmark = pytest.mark.slow


def quality(dropped):
    from bench_linkage import febrl

    from mortality.linkage import link_records

    reference_path("quality", "linelist", "febrl3.csv")
    table, truth = febrl("febrl3.csv")
    con = duckdb.connect()
    con.execute("SET threads = 2")
    con.register("people", table.drop(columns=dropped))
    link_records(con, "people")
    found = {(min(a, b), max(a, b)) for a, b in con.execute("SELECT id_l, id_r FROM linked_pair").fetchall()}
    return 2 * len(found & truth) / (len(found) + len(truth))


@pytest.mark.parametrize(
    ("dropped", "least"),
    [([], 0.99), (["id_number"], 0.985), (["id_number", "address"], 0.965)],
    ids=["all columns", "no ID", "no ID, no address"],
)
def test_febrl3_is_linked_at_least_this_well(dropped, least):
    assert quality(dropped) >= least
