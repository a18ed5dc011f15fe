"""How names are folded for tests of records. Matching of persons: `mortality.linkage.persons`."""

from __future__ import annotations

FOLDED = "trim(regexp_replace(replace(strip_accents(lower({0})), 'đ', 'd'), '[^a-z ]+', ' ', 'g'))"
