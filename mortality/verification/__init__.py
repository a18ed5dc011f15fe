"""Our measures beside published results and other programs: ours, theirs, difference, tolerance.

A case reads one folder of the reference collection (`TKYT_REFERENCE`), calls the functions of the product as its users do
and lays both answers side by side. The golden tests and the notebook `verify` run the same cases. The product runs without
the collection; then there is nothing to compare.
"""

from mortality.verification.cases import Case, compare, reference_case, reference_cases, run_case, run_cases

__all__ = ["Case", "compare", "reference_case", "reference_cases", "run_case", "run_cases"]
