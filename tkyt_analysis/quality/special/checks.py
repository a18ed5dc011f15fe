"""The special detectors as checks, under the names that rules use."""

from tkyt_analysis.quality.checks import FormCheck
from tkyt_analysis.quality.special.copied import judge_copied
from tkyt_analysis.quality.special.cumulative import judge_cumulative
from tkyt_analysis.quality.special.decimals import judge_decimals
from tkyt_analysis.quality.special.digits import judge_heaping, judge_invented
from tkyt_analysis.quality.special.learned import judge_learned
from tkyt_analysis.quality.special.level_shift import LEVEL_SHIFT as LEVEL_SHIFT
from tkyt_analysis.quality.special.misplaced import judge_misplaced
from tkyt_analysis.quality.special.ratios import judge_ratios
from tkyt_analysis.quality.special.swapped_units import judge_swapped_units
from tkyt_analysis.quality.special.two_in_one import judge_two_in_one

CUMULATIVE = FormCheck(judge_cumulative)
TWO_IN_ONE = FormCheck(judge_two_in_one)
COPIED_FORM = FormCheck(judge_copied)
MISPLACED = FormCheck(judge_misplaced)
SWAPPED_UNITS = FormCheck(judge_swapped_units)
HEAPING = FormCheck(judge_heaping)
INVENTED = FormCheck(judge_invented)
NOT_A_COUNT = FormCheck(judge_decimals)
LEARNED_RELATION = FormCheck(judge_learned)
RELATED_COUNTS = FormCheck(judge_ratios)
