import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import pytest
from hypothesis import settings

settings.register_profile("shared_machine", deadline=None)  # slow first imports are no failure
settings.load_profile("shared_machine")

# Files that take longest are begun first, so that no worker waits for the other one at the end.
LONGEST = (
    "test_ingest_killed", "test_real_input", "test_submissions", "test_migrate", "test_many_writers", "test_release",
    "test_notebooks_run", "test_planted_identifiers", "test_tk_home", "test_backup", "test_capture_in_browser",
    "test_explorer_memory", "test_scope_walk", "test_error_workbooks", "test_record_corrections", "test_check_home",
    "test_both_catalogs", "test_daily_commands", "test_gateway_sierra_leone", "test_bad_input_end_to_end",
    "test_key_rotation", "test_linkage_febrl", "test_disk_trouble", "test_cli",
)  # fmt: skip


def pytest_collection_modifyitems(items):
    rank = {name: at for at, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.path.stem, len(LONGEST)))


@pytest.fixture(scope="session", autouse=True)
def _own_configuration(tmp_path_factory):
    """Keys that tests make lie in a folder of the session, never in the user's configuration."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("configuration")))
        patch.delenv("TKYT_KEY_FILE", raising=False)
        patch.delenv("TKYT_HOME", raising=False)
        patch.delenv("TKYT_LANGUAGE", raising=False)
        yield


@pytest.fixture(scope="session", autouse=True)
def _signatures_once():
    """DuckDB hashes its extensions (90 MB, 0.3 s) with every connection; the tests of a process let it do so once."""
    import duckdb

    real, checked = duckdb.connect, []

    def connect(*args, **options):
        if args or options or not checked:
            checked.append(True)
            return real(*args, **options)
        return real(config={"allow_unsigned_extensions": "true"})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(duckdb, "connect", connect)
        yield


@pytest.fixture(autouse=True)
def _own_language():
    """A language that one test asked for ends with it."""
    from tkyt_analysis import labels

    labels._language.set("")
    yield
    labels._language.set("")


@pytest.fixture(scope="session")
def demo_home(tmp_path_factory, _own_configuration):
    """The home that `tkyt demo` makes at commune scale: built once per session, for reading only."""
    from tkyt_analysis.demo import run_demo

    home = tmp_path_factory.mktemp("demo") / "home"
    run_demo(home)
    return home


@pytest.fixture(scope="session")
def practice_home(demo_home):
    """The same home, for tests of apps and notebooks."""
    return demo_home
