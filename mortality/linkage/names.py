"""Names, addresses and sexes brought to one form, as SQL expressions for DuckDB.

A Vietnamese syllable is kept as its letters and, apart from them, its tone: "hoà" and "hòa" are both "hoa" with a grave tone.
The folded form drops every mark and writes đ as d; the regional form also joins sounds that dialects do not tell apart
(s/x, ch/tr, d/gi/r/v, l/n, final n/ng and t/c, hỏi/ngã). The text as written is never changed.
"""

from __future__ import annotations

_BASE = "aăâeêioôơuưy"
_TONED = "àằầèềìòồờùừỳáắấéếíóốớúứýảẳẩẻểỉỏổởủửỷãẵẫẽễĩõỗỡũữỹạặậẹệịọộợụựỵ"
_NUMBERS = "".join(tone * len(_BASE) for tone in "12334")  # hỏi and ngã are one tone in the south
_TITLES = "^(?:(?:ông|bà|cụ|cháu|mr|mrs|ms|miss|dr)[.]? +)+"
# "Anh" is also a given name: a title only before a family name and two more words
_TITLE_BEFORE_NAME = (
    "^(?:anh|chị|em|bé) +((?:nguyễn|trần|lê|phạm|hoàng|huỳnh|phan|vũ|võ|đặng|bùi|đỗ|hồ|ngô|dương|lý) +[^ ]+ +[^ ]+)"
)
# On folded syllables with a blank before and after each; what dialects say alike gets one sign.
_REGIONAL = (
    ("(?:aa|aw)", "a"),  # marks typed as letters (Telex): "nguyeenx"
    ("ee", "e"),
    ("(?:oo|ow)", "o"),
    ("uw", "u"),
    (" dd", " d"),
    ("([aeiouyncmtpgh])[sfrxj] ", "\\1 "),
    ("y", "i"),
    (" ngh?", " 1"),
    (" nh", " 2"),
    (" (?:tr|ch)", " 3"),
    (" kh", " 4"),
    (" th", " 5"),
    (" ph", " f"),
    (" gh", " g"),
    (" gi([aeou])", " z\\1"),
    (" [kq]", " c"),
    (" [drv]", " z"),
    (" [ln]", " l"),
    (" s", " x"),
    ("n[gh] ", "n "),
    ("c?[chk] ", "t "),
)


# Family names that nearly all Kinh people share; only to know which end of a name is the given name.
_FAMILY_TEXT = """
    hang sung thao lau mua hau cu ma lu trang siu ksor rcom rmah puih neang kpa nay au b be bui cao chau chu d dam dang danh dao diep dinh do doan duong giang h ha ho hoang hua huynh
    khong khuat kieu kim l la lai lam le li lo loc luc luong luu ly mac mach mai n ng nghiem ngo nguyen
    nhan ninh nong ong p ph pham phan phi phung quach quan quang sam son t ta tang thach thai than thieu
    tien tieu to ton tong tr tram tran trieu trinh truong tu ung v vang vi vo vu vuong
"""
FAMILIES = frozenset(_FAMILY_TEXT.split())
_FAMILY_LIST = "[" + ", ".join(f"'{name}'" for name in sorted(name.replace("y", "i") for name in FAMILIES)) + "]"


def composed(column: str) -> str:
    """Lower case, NFC, one blank between words, without a title (ông, bà, cụ …); NULL where nothing is left."""
    text = f"trim(regexp_replace(lower(nfc_normalize({column})), '[\\s\\x{{a0}}_]+', ' ', 'g'))"
    return f"nullif(regexp_replace(regexp_replace({text}, '{_TITLES}', ''), '{_TITLE_BEFORE_NAME}', '\\1'), '')"


def folded(column: str) -> str:
    """ASCII letters and digits, single blanks between: "đặng-thị  hoà" → "dang thi hoa"; an apostrophe is no blank."""
    bare = f"replace(replace(strip_accents({column}), 'đ', 'd'), chr(39), '')"
    return f"nullif(trim(regexp_replace({bare}, '[^a-z0-9]+', ' ', 'g')), '')"


def folded_name(column: str) -> str:
    """A name folded; digits go (VNI typing: "Tra6n2" is "Trần"), and so does another name in brackets if one is left."""
    plain = f"regexp_replace(regexp_replace({column}, '(.)[ ]*\\([^)]*\\)', '\\1 ', 'g'), '[0-9]+', '', 'g')"
    plain = f"regexp_replace({plain}, '^(?:ng|ngx)[. ] *', 'nguyễn ')"
    return folded(f"regexp_replace({plain}, '^tr[.] *', 'trần ')")


def given(tokens: str) -> str:
    """The word that tells one person of a family from another, where the family name shows on which end it stands."""
    return (
        f"CASE WHEN len({tokens}) < 2 THEN NULL "
        f"WHEN {tokens}[1] IN ('i', 'h') AND len({tokens}) > 2 AND length({tokens}[2]) > 1 THEN {tokens}[2] WHEN list_contains({_FAMILY_LIST}, {tokens}[1]) THEN {tokens}[-1] "
        f"WHEN list_contains({_FAMILY_LIST}, {tokens}[-1]) THEN {tokens}[1] "
        f"WHEN len({tokens}) > 2 AND list_contains({_FAMILY_LIST}, {tokens}[2]) THEN {tokens}[1] END"
    )


def given_elsewhere(tokens: str) -> str:
    """The same for a name without a known family name, in a Vietnamese list: "H'Rit Byă" is Rit, else the last word."""
    return (
        f"CASE WHEN len({tokens}) = 2 AND starts_with({tokens}[1], 'h') AND length({tokens}[1]) > 2 THEN {tokens}[1][2:] "
        f"WHEN len({tokens}) > 1 THEN {tokens}[-1] END"
    )


def family(tokens: str) -> str:
    """The family name where it is one of the known ones."""
    return (
        f"CASE WHEN len({tokens}) < 2 THEN NULL WHEN list_contains({_FAMILY_LIST}, {tokens}[1]) THEN {tokens}[1] "
        f"WHEN list_contains({_FAMILY_LIST}, {tokens}[-1]) THEN {tokens}[-1] "
        f"WHEN len({tokens}) > 2 AND list_contains({_FAMILY_LIST}, {tokens}[2]) THEN {tokens}[2] END"
    )


def hamlet(column: str) -> str:
    """What an address says below the commune, without the kind of hamlet: "Thôn 9, Xã Hòa Ninh" and "T.9" are both "9"."""
    parts = f"string_split_regex({column}, '[,;] *| - ')"
    unit = "^ *(?:(?:xa|phuong|thi tran|tt|huyen|quan|tinh|tp|thanh pho|thi xa|tx)[ .]|[xphqt][.] *[a-z]|tp[.]?$)"
    kept = f"list_filter({parts}, lambda part: NOT regexp_matches(replace(strip_accents(part), 'đ', 'd'), '{unit}'))"
    text = folded(f"array_to_string({kept}, ' ')")
    kind = "(?:to dan pho|khu dan cu|khu pho|tdp|kp|thon|xom|ban|buon|bon|lang|khom|khoi|ap|to|khu|t)"
    return f"coalesce(nullif(trim(regexp_replace(' ' || {text} || ' ', ' {kind}(?: ([0-9a-z])|([0-9]))', ' \\1\\2')), ''), {text})"


def accented(column: str) -> str:
    """Letters with their quality marks, then the tone numbers of the syllables: where the tone mark stands does not matter."""
    letters = f"regexp_replace(translate({column}, '{_TONED}', '{_BASE * 5}'), '[^\\p{{L}} ]+', ' ', 'g')"
    tones = f"translate(regexp_replace({column}, '[^{_TONED} ]+', '', 'g'), '{_TONED}', '{_NUMBERS}')"
    return f"{one_i(letters)} || '#' || {tones}"


def one_i(text: str) -> str:
    """y and i are one letter: "Lý" and "Lí", "Nguyễn" and "Nguiễn"."""
    return f"replace({text}, 'y', 'i')"


def regional(text: str) -> str:
    """A folded name with the sounds joined that dialects join."""
    sounds = f"' ' || {text} || ' '"
    for pattern, sign in _REGIONAL:
        sounds = f"regexp_replace({sounds}, '{pattern}', '{sign}', 'g')"
    return f"trim({sounds})"


def sex(column: str) -> str:
    """m or f; what is neither a word nor a number of a sex is NULL."""
    word = f"replace(strip_accents(lower(trim(nfc_normalize({column})))), '.0', '')"
    return (
        f"CASE WHEN {word} IN ('1', 'm', 'male', 'nam', 'man', 'boy', 'trai') THEN 'm' "
        f"WHEN {word} IN ('2', '0', 'f', 'female', 'nu', 'woman', 'girl', 'gai') THEN 'f' END"
    )


def sex_of_name(tokens: str) -> str:
    """Weak evidence: Thị between family and given name is a woman's, Văn a man's."""
    middle = f"{tokens}[2:-2]"
    return (
        f"CASE WHEN list_contains({middle}, 'thi') AND NOT list_contains({middle}, 'van') THEN 'f' "
        f"WHEN list_contains({middle}, 'van') AND NOT list_contains({middle}, 'thi') THEN 'm' END"
    )
