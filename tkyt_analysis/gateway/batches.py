"""Units in batches that an address can hold; a batch that fails is halved until the one bad unit has a name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

MOST_UNITS = 100
LONGEST_ADDRESS = 2_048


def unit_batches(
    units: Sequence[str], address: Callable[[Sequence[str]], str], *, most: int = MOST_UNITS
) -> Iterator[list[str]]:
    """Units in their order, in batches of at most `most` whose address has at most 2,048 characters."""
    batch: list[str] = []
    for unit in units:
        if batch and (len(batch) >= most or len(address([*batch, unit])) > LONGEST_ADDRESS):
            yield batch
            batch = []
        batch.append(unit)
    if batch:
        yield batch


def halves(units: Sequence[str]) -> list[list[str]]:
    """A failed batch as two smaller ones; a single unit cannot be made smaller."""
    middle = len(units) // 2
    return [list(units[:middle]), list(units[middle:])] if middle else []
