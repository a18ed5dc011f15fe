"""What the selection of the underlying cause answers: the code, each step with its rule and its evidence, and flags."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Evidence = tuple[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the selection.

    rule : SP1 … SP8 or M1 … M4 (WHO ICD-10 Volume 2, edition 2016)
    code : the code that holds after this step, with dot
    evidence : (label key, fields) from which a sentence is made; fields are codes and names of lines, all text
    detail : the rule with the instruction inside it, such as "M1:linkage"; `rule` alone where there is no finer one
    """

    rule: str
    code: str
    evidence: Evidence
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Selection:
    """The underlying cause of one certificate.

    code : with dot; "" where the certificate has no usable code
    steps : in the order in which they were taken
    flags : text keys: "reject:…" where a coder must decide, "profile:…" where the profile changed the answer
    main_injury : the main injury (chapter XIX) where the underlying cause is external, else ""
    """

    code: str
    steps: tuple[Step, ...]
    flags: tuple[str, ...] = ()
    main_injury: str = ""

    @property
    def path(self) -> str:
        """The rules in order: "SP3>SP7>M1"."""
        return ">".join(step.rule for step in self.steps)

    @property
    def rejected(self) -> bool:
        """True where a coder has to look at this certificate."""
        return any(flag.startswith("reject:") for flag in self.flags)
