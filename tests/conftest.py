import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from hypothesis import settings  # noqa: E402

settings.register_profile("shared_machine", deadline=None)  # slow first imports are no failure
settings.load_profile("shared_machine")

from practice_home import practice_home  # noqa: E402, F401
