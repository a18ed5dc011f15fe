"""The lay dictionary, chapters J–Y: one wording means another cause in a newborn child, and intent follows the words."""

from __future__ import annotations

import pytest

from mortality.coding.suggest import suggest_codes

NEWBORN, INFANT, OLD = 0.01, 0.5, 80.0  # years


def first_code(text: str, *, age_years: float | None = None, sex: str | None = None) -> str | None:
    return next((one.code for one in suggest_codes(text, age_years=age_years, sex=sex)), None)


@pytest.mark.parametrize("age_years", [None, NEWBORN])
def test_asphyxia_after_birth_is_a_cause_of_the_child_not_of_the_mother(age_years):
    assert first_code("Ngạt sau đẻ", age_years=age_years) == "P21.9"


@pytest.mark.parametrize(
    ("text", "newborn", "later"),
    [
        ("đẻ khó", "P03.9", "O66.9"),
        ("nhau bong non", "P02.1", "O45.9"),
        ("sặc sữa", "P24.3", "W79"),
        ("tắc ruột", "P76.9", "K56.6"),
        ("hạ đường huyết", "P70.4", "E16.2"),
        ("suy hô hấp cấp", "P28.5", "J96.0"),
        ("co giật", "P90", "R56.8"),
        ("chết khi đẻ", "P96.9", "O95"),
    ],
)
def test_a_wording_is_read_by_the_age_of_the_dead(text, newborn, later):
    assert first_code(text, age_years=NEWBORN) == newborn
    assert first_code(text, age_years=30.0) == later


def test_sudden_death_in_sleep_has_a_code_of_its_own_under_one_year():
    assert first_code("ngủ rồi chết", age_years=INFANT) == "R95.9"
    assert first_code("ngủ rồi chết", age_years=OLD) == "R96.0"


@pytest.mark.parametrize(
    ("text", "code"),
    [  # WHO ICD-10 Volume 1, chapter XX: the words say the intent
        ("uống nhầm thuốc trừ sâu", "X48"),
        ("uống thuốc trừ sâu tự tử", "X68"),
        ("bị đầu độc bằng thuốc sâu", "X87"),
        ("uống thuốc sâu không rõ lý do", "Y18"),
        ("nhảy xuống giếng", "X71"),
        ("ngã xuống giếng", "W73"),
        ("bị ném xuống giếng", "X92"),
        ("phát hiện chết dưới giếng", "Y21"),
        # hit or run over, with no vehicle of the dead named: a pedestrian
        ("bị xe tải cán", "V04.1"),
        ("bị ô tô tông", "V03.1"),
        ("xe tải cán xe máy", "V24.9"),
        # an injury with its mechanism is coded to the mechanism; alone to what is written, an injury
        ("chấn thương sọ não do ngã cây", "W14"),
        ("chấn thương sọ não", "S06.9"),
        ("ngã gãy cổ xương đùi", "W19"),
        ("gãy cổ xương đùi", "S72.0"),
        ("tai nạn giao thông chấn thương sọ não", "V89.2"),
        ("ngộ độc", "X49"),
        # ordnance left after a war is not an industrial blast
        ("cuốc đất trúng bom", "Y36.8"),
        ("nổ mìn phá đá", "W40"),
    ],
)
def test_intent_and_mechanism_follow_the_words(text, code):
    assert first_code(text) == code


@pytest.mark.parametrize(
    ("text", "code"),
    [  # one cell, several conditions: the cause that started it (WHO Volume 2, selection and linkage)
        ("suy hô hấp do viêm phổi", "J18.9"),
        ("viêm phổi, COPD", "J44.0"),
        ("nghiện rượu, xơ gan", "K70.3"),
        ("THA, suy thận", "I12.0"),
        ("TBMMN, THA", "I64"),
        ("già yếu viêm phổi", "J18.9"),
        ("động kinh ngã xuống ao", "G40.9"),
        ("suy hô hấp/đẻ non", "P07.3"),
        ("trầm cảm treo cổ", "X70"),
    ],
)
def test_several_conditions_in_one_cell_give_the_one_that_began(text, code):
    assert first_code(text) == code
