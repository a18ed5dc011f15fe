import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import pytest  # noqa: E402
from hypothesis import settings  # noqa: E402

settings.register_profile("shared_machine", deadline=None)  # slow first imports are no failure
settings.load_profile("shared_machine")

from practice_home import practice_home  # noqa: E402, F401


@pytest.fixture(scope="session")
def demo_home(tmp_path_factory):
    """The home that `tkyt demo` makes at commune scale: built once per session, for reading only."""
    from tkyt_analysis.demo import run_demo

    patch = pytest.MonkeyPatch()
    patch.setenv("TKYT_KEY_FILE", str(tmp_path_factory.mktemp("key") / "demo.key"))
    home = tmp_path_factory.mktemp("demo") / "home"
    run_demo(home)
    yield home
    patch.undo()
