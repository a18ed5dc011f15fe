"""The words of a death register brought to one form, so that spellings of one word meet.

`accented_key` keeps the Vietnamese marks; `folded_key` drops them (for text typed without marks);
`standard_key` also puts the standard word for regional, older and loan words.
The text as written is never changed: keys are only for looking up.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache

from mortality.coding.letters import accented_letters, fold, fold_word, has_accents
from mortality.coding.split import split_causes
from mortality.coding.words import Words, abbreviations, key_words, noise, synonyms, text_words

__all__ = [
    "accented_key",
    "accented_letters",
    "fold",
    "folded_key",
    "has_accents",
    "noise_steps",
    "split_causes",
    "standard_key",
    "without_facts",
]

_BIRTH = re.compile(r"\b(?:non|thai|sinh|đẻ|sanh|sảy|sẩy|tuần|de|say)\b")
_FACTS = [
    re.compile(pattern)
    for pattern in (
        r"\b(?:ngày|ngay)?\s*\d{1,2}\s*[/.-]\s*\d{1,2}(?:\s*[/.-]\s*\d{2,4})?\b",
        r"\b(?:từ |tu )?(?:năm|nam)\s*(?:19|20)\d\d\b",
        r"\b(?:19|20)\d\d\b",
        r"\b\d{1,3}\s*(?:tuổi|tuoi|t)\b",
        r"\b\d{1,2}\s*[hg]\s*\d{0,2}\b",
        r"\b(?:lúc|luc)\s+\d{1,2}\s*(?:giờ|gio)\b",
        r"\b(?:(?:sinh|đẻ|sanh|de)\s+)(?:(?:ra|được|đc|dc|mới|duoc|moi)\s+)+(?:\d{1,3}|vài|mấy|vai|may)\s*"
        r"(?:phút|giờ|ngày|hôm|h|phut|gio|ngay|hom)\b(?:\s+(?:thì|thi)\b)?",
    )
]
_DURATION = re.compile(
    r"\b(?:(?:đã|được|cách đây|từ|hơn|khoảng|gần|trong|da|duoc|cach day|tu|hon|khoang|gan)\s+)*"
    r"(?:\d{1,3}|mấy|nhiều|vài|may|nhieu|vai)\s*(?:năm|tháng|tuần|ngày|hôm|nam|thang|tuan|ngay|hom)\b"
    r"(?:\s+(?:nay|trước|qua|liền|rồi|truoc|lien|roi))?"
)
_YEARS = re.compile(
    r"(?:\b(?:đã|được|cách đây|hơn|khoảng|gần|trong|da|duoc|cach day|hon|khoang|gan)\s+)*"
    r"\b(?:\d{1,2}|mấy|vài|may|vai)\s*(?:năm|nam)\b(?:\s+(?:nay|trước|qua|liền|rồi|truoc|lien|roi)\b)?"
    r"|\b(?:năm thứ|nam thu)\s+(?:\d{1,2}|hai|ba|tư|năm|tu|nam)\b"
)
_OF_CARE = (
    r"(?:mổ|phẫu thuật|tiêm|chích|đẻ|sinh|sanh|gây mê|gây tê|truyền|thủ thuật|nội soi|nạo|phá thai|chuyển dạ"
    r"|mo|phau thuat|tiem|chich|de|gay me|gay te|truyen|thu thuat|noi soi|nao|pha thai|chuyen da)\b"
)
_WHEN = r"(?:của|trong|sau|khi|lúc|do|cua|luc)"
_MISHAP = re.compile(
    rf"\btai (?:biến|bien)(?=\s+(?:{_WHEN}\s+)*(?:ca\s+)?{_OF_CARE}(?!\s+(?:máu|ra)))"
    rf"|(?<=\b)(?:(?<=mổ )|(?<=thuật )|(?<=tiêm )|(?<=đẻ )|(?<=mê )|(?<=tê )|(?<=mổ bị )|(?<=thuật bị )|(?<=tiêm bị )"
    rf"|(?<=đẻ bị )|(?<=mê bị )|(?<=tê bị ))tai biến(?!\s+(?:mạch|não|lần|cũ))"
)


@lru_cache(maxsize=4096)
def accented_words(text: str) -> Words:
    """The words with marks: letters unified, punctuation dropped, abbreviations written out."""
    return abbreviations(False).replace(key_words(text))


def accented_key(text: str) -> str:
    """The look-up form with marks."""
    return " ".join(accented_words(text))


@lru_cache(maxsize=4096)
def folded_words(text: str) -> Words:
    words = accented_words(text)
    if has_accents(text):
        return tuple(map(fold_word, words))
    return abbreviations(True).replace(tuple(map(fold_word, words)))


def folded_key(text: str) -> str:
    """The look-up form without marks; "Tiểu Đường" and "tieu duong" meet here.

    A text without any mark has its abbreviations written out once more ("dtd" for "đtđ").
    """
    return " ".join(folded_words(text))


def _once(words: Words) -> Words:
    """The words without immediate repeats, which synonyms make: "hen suyễn" → "hen hen" → "hen"."""
    return tuple(word for place, word in enumerate(words) if place == 0 or word != words[place - 1])


def _mishap(text: str) -> str:
    """A "tai biến" of an operation, an injection or a birth is no stroke: "sự cố" in its place."""
    letters = accented_letters(text)
    if "tai biến" not in letters and "tai bien" not in letters:
        return text
    return _MISHAP.sub("sự cố" if has_accents(letters) else "su co", letters)


@lru_cache(maxsize=4096)
def standard_words(text: str) -> Words:
    """The words in the standard language, with marks where the text has them."""
    text = _mishap(text)
    if has_accents(text):
        return _once(synonyms(False).replace(accented_words(text)))
    return _once(synonyms(True).replace(folded_words(text)))


def standard_key(text: str) -> str:
    """The look-up form in the standard language without marks: "té sông" and "ngã sông" meet here."""
    return " ".join(map(fold_word, standard_words(text)))


def years_as_many(text: str) -> str:
    """The text with any number of years as "nhiều năm": a stroke of years ago is a sequela, so the years count."""
    return " ".join(_YEARS.sub(" nhiều năm ", accented_letters(text)).split())


@lru_cache(maxsize=4096)
def without_facts(text: str) -> str:
    """The text without what is no cause: dates, ages, durations, names of hospitals. Weeks and months of a
    pregnancy stay."""
    letters = accented_letters(text)
    for pattern in (*_FACTS, _activity_pattern()):
        letters = pattern.sub(" ", letters)
    if not _BIRTH.search(letters):
        letters = _DURATION.sub(" ", letters)
    return " ".join(_hospital_pattern().sub(" ", letters).split())


@cache
def _activity_pattern() -> re.Pattern[str]:
    """What the dead was doing, which is no cause: "khi gặt lúa", "lúc đang ngủ"."""
    words = text_words().of("activity")
    both = {accented_letters(word) for word in words} | {fold(accented_letters(word)) for word in words}
    doing = "|".join(re.escape(word) for word in sorted(both, key=len, reverse=True))
    return re.compile(rf"\b(?:trong |giữa |giua )?(?:khi|lúc|luc)\s+(?:(?:đang|đi|dang|di)\s+)*(?:{doing})\b")


@cache
def _hospital_pattern() -> re.Pattern[str]:
    """A word for a hospital, what leads to it ("điều trị tại"), and the names that follow it."""

    def either(kind: str) -> str:
        words = text_words().of(kind)
        both = {accented_letters(word) for word in words} | {fold(accented_letters(word)) for word in words}
        return "|".join(re.escape(word) for word in sorted(both, key=len, reverse=True))

    before, place, name = either("hospital_before"), either("hospital"), either("hospital_name")
    return re.compile(rf"(?:\b(?:{before})\s+)*\b(?:{place})\b(?:\s+(?:{name})\b)*")


@cache
def _noise_patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    def phrases(kind: str) -> str:
        words = text_words().of(kind)
        both = {" ".join(key_words(word)) for word in words} | {fold(" ".join(key_words(word))) for word in words}
        return "|".join(re.escape(word) for word in sorted(both, key=len, reverse=True))

    return re.compile(rf"^(?:{phrases('noise_start')})\s+"), re.compile(rf"\s+(?:{phrases('noise_end')})$")


def noise_steps(key: str) -> list[str]:
    """The key with noise words taken off one at a time: inside, then start before end; each step is one try."""
    steps = []
    inside = " ".join(noise("noise").replace(tuple(key.split())))
    if inside != key:
        steps.append(inside)
        key = inside
    start, end = _noise_patterns()
    while key:
        shorter = start.sub("", key, count=1)
        if shorter == key:
            shorter = end.sub("", key, count=1)
        if shorter == key:
            break
        steps.append(shorter)
        key = shorter
    return [step for step in steps if step]
