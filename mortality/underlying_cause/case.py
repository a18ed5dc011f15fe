"""A certificate as the rules see it: used lines of Part 1 from the top, Part 2, and the person."""

from __future__ import annotations

from dataclasses import dataclass, field

from mortality.underlying_cause.certificate import Certificate
from mortality.underlying_cause.conditions import Condition, ConditionBook
from mortality.underlying_cause.intervals import days_of_lines

LINE_NAMES = ("a", "b", "c", "d")
PART2 = 9

Line = tuple[int, tuple[Condition, ...]]


@dataclass(frozen=True, slots=True)
class Case:
    """The conditions that still count.

    conditions : all conditions, Part 1 first, top line first
    lines : used lines of Part 1, top first: (number of the line from 0, its conditions)
    part2 : conditions of Part 2
    certificate : the certificate as written
    days : how long lines a … d lasted, None where unknown; () where no line says anything
    """

    lines: tuple[Line, ...]
    part2: tuple[Condition, ...]
    certificate: Certificate
    days: tuple[float | None, ...] = ()
    conditions: tuple[Condition, ...] = field(init=False)

    def __post_init__(self) -> None:
        part1 = [condition for _, line in self.lines for condition in line]
        object.__setattr__(self, "conditions", (*part1, *self.part2))

    def line_of(self, condition: Condition) -> int:
        """Number of the line (0 = a) that carries the condition; PART2 for Part 2 or a condition that is not there."""
        return next((number for number, line in self.lines if condition in line), PART2)

    def nearest_first(self, origin: Condition) -> tuple[Condition, ...]:
        """All conditions: those on the line of `origin` and the lines above it upwards, then the lines below, then Part 2."""
        at = self.line_of(origin)
        above = [line for number, line in reversed(self.lines) if number <= at]
        below = [line for number, line in self.lines if number > at]
        return tuple(condition for line in (*above, *below, self.part2) for condition in line)

    def began_before(self, effect: int, cause: int) -> bool:
        """Whether the line of an effect says that it began before the line of its cause."""
        if not self.days or cause == PART2 or effect == PART2:
            return False
        longer, shorter = self.days[effect], self.days[cause]
        return longer is not None and shorter is not None and longer > shorter

    def without(self, dropped: frozenset[Condition]) -> Case:
        """The same case with some conditions disregarded."""
        lines = tuple((number, tuple(c for c in line if c not in dropped)) for number, line in self.lines)
        kept = tuple((number, line) for number, line in lines if line)
        return Case(kept, tuple(c for c in self.part2 if c not in dropped), self.certificate, self.days)


def case_of(certificate: Certificate, book: ConditionBook, *, intervals: bool = True) -> Case:
    """The case of a certificate; writings that are no code of ICD-10 are left out (the engine flags them)."""
    lines = []
    for number, codes in enumerate(certificate.lines):
        line = tuple([c for c in [book[code] for code in codes] if c.valid]) if codes else ()
        if line:
            lines.append((number, line))
    part2 = tuple([c for c in [book[code] for code in certificate.part2] if c.valid])
    return Case(tuple(lines), part2, certificate, days_of_lines(certificate) if intervals else ())
