"""Garbage codes: codes that say little about why a person died, by list, category and severity, and their share."""

from mortality.garbage.lists import DEFAULT_LIST, GarbageList, load_garbage_list, read_garbage_file
from mortality.garbage.share import garbage_share, senility_by_age

__all__ = [
    "DEFAULT_LIST", "GarbageList", "garbage_share", "load_garbage_list", "read_garbage_file", "senility_by_age",
]  # fmt: skip
