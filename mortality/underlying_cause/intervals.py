"""How long each line of Part 1 lasted: a condition cannot be due to one that began after it (WHO Volume 2, 4.2.3)."""

from __future__ import annotations

from functools import lru_cache

from mortality.underlying_cause.certificate import DAYS_IN, Certificate


def days_of_lines(certificate: Certificate) -> tuple[float | None, ...]:
    """Days from onset to death for lines a … d, None where nothing readable is written; () where no line says anything."""
    if not any(certificate.intervals):
        return ()
    return tuple(_days(text) for text in certificate.intervals)


@lru_cache(maxsize=20_000)
def _days(text: str) -> float | None:
    from mortality.documents.words import read_interval

    value, unit = read_interval(text)
    per_unit = DAYS_IN.get(unit)
    return None if value is None or per_unit is None else value * per_unit
