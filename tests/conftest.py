import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import pytest
from hypothesis import settings

settings.register_profile("shared_machine", deadline=None)  # slow first imports are no failure
settings.load_profile("shared_machine")


@pytest.fixture(scope="session", autouse=True)
def _own_configuration(tmp_path_factory):
    """Keys that tests make lie in a folder of the session, never in the user's configuration."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("configuration")))
        patch.delenv("TKYT_KEY_FILE", raising=False)
        patch.delenv("TKYT_HOME", raising=False)
        patch.delenv("TKYT_LANGUAGE", raising=False)
        yield


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
