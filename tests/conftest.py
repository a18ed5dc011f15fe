import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from hypothesis import settings  # noqa: E402

settings.register_profile("shared_machine", deadline=None)  # slow first imports are no failure
settings.load_profile("shared_machine")
