"""Search by likeness: TF-IDF over words, word pairs and letter groups, with and without marks.

Small enough to own: scipy's sparse arrays carry the index; the order of words hardly matters; a letter
wrong costs a part of the likeness only. Method: Salton & Buckley, Inf Process Manag 1988;24:513-23.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING

from mortality.coding.letters import fold_word, has_accents

if TYPE_CHECKING:
    import numpy as np

FIELD_WEIGHTS = {"word": 0.45, "pair": 0.2, "letters": 0.35, "marked": 0.1}
LETTER_GROUPS = (3, 4)


def features(words: Sequence[str], field: str) -> Iterable[str]:
    """The features of one field: folded words, pairs of folded words, letter groups, words with marks."""
    folded = [fold_word(word) for word in words]
    if field == "word":
        return folded
    if field == "pair":
        return [f"{one} {two}" for one, two in zip(folded, folded[1:])]
    if field == "marked":
        return words
    text = f" {' '.join(folded)} "
    return [text[start : start + size] for size in LETTER_GROUPS for start in range(len(text) - size + 1)]


@dataclass(frozen=True)
class Field:
    """One field of the index: for each feature its documents and weights (a compressed matrix, feature by document)."""

    numbers: dict[str, int]
    idf: np.ndarray
    starts: np.ndarray
    documents: np.ndarray
    weights: np.ndarray

    @classmethod
    def build(cls, texts: Sequence[Sequence[str]], field: str) -> Field:
        import numpy as np
        from scipy.sparse import csr_array

        numbers: dict[str, int] = {}
        columns: list[int] = []
        counts: list[int] = []
        ends = [0]
        for words in texts:
            for feature, count in Counter(features(words, field)).items():
                columns.append(numbers.setdefault(feature, len(numbers)))
                counts.append(count)
            ends.append(len(columns))
        shape = (len(texts), max(1, len(numbers)))
        matrix = csr_array((1 + np.log(np.asarray(counts, float)), columns, ends), shape=shape)
        idf = np.log((1 + shape[0]) / (1 + np.bincount(matrix.indices, minlength=shape[1]))) + 1
        matrix.data *= idf[matrix.indices]
        rows = np.repeat(np.arange(shape[0]), np.diff(matrix.indptr))
        lengths = np.sqrt(np.bincount(rows, matrix.data**2, minlength=shape[0]))
        matrix.data /= lengths[rows]
        by_feature = matrix.tocsc()
        return cls(numbers, idf, by_feature.indptr, by_feature.indices, by_feature.data.astype("float32"))

    def scores(self, words: Sequence[str], field: str, size: int) -> np.ndarray | None:
        """Cosine of the words with every document; None where no feature is known."""
        import numpy as np

        known: list[tuple[int, float]] = []
        square = 0.0
        most = float(self.idf.max()) if len(self.idf) else 1.0
        for feature, count in Counter(features(words, field)).items():
            number = self.numbers.get(feature)
            weight = (1 + log(count)) * (most if number is None else self.idf[number])
            square += weight**2
            if number is not None:
                known.append((number, weight))
        if not known:
            return None
        parts = [slice(self.starts[number], self.starts[number + 1]) for number, _ in known]
        documents = np.concatenate([self.documents[part] for part in parts])
        weights = np.concatenate([self.weights[part] * weight for part, (_, weight) in zip(parts, known)])
        return np.bincount(documents, weights, minlength=size) / square**0.5


class TextIndex:
    """Documents (tuples of words, with marks where known) searched by likeness."""

    def __init__(self, texts: Sequence[Sequence[str]]) -> None:
        self.size = len(texts)
        self.fields = {field: Field.build(texts, field) for field in FIELD_WEIGHTS}

    def search(self, words: Sequence[str], *, top: int = 20) -> list[tuple[int, float]]:
        """The `top` likest documents as (number, likeness 0–1), likest first; equal ones in their order."""
        import numpy as np

        if not words or not self.size:
            return []
        total, weight_sum = np.zeros(self.size), 0.0
        marked = has_accents(" ".join(words))
        for field, weight in FIELD_WEIGHTS.items():
            if field == "marked" and not marked:
                continue
            weight_sum += weight if field != "pair" or len(words) > 1 else 0.0
            found = self.fields[field].scores(words, field, self.size)
            if found is not None:
                total += weight * found
        total /= weight_sum
        top = min(top, self.size)
        best = np.argpartition(-total, top - 1)[:top]
        best = best[np.lexsort((best, -total[best]))]
        return [(int(number), float(total[number])) for number in best if total[number] > 0]
