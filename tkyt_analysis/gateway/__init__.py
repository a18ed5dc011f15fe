"""The gateway to a DHIS2 server: pulls with resume and stamps, pushes with a dry run first. See docs/gateway.md."""

KINDS = (
    "metadata", "organisationUnits", "geometry", "dataApprovals", "dataValueSets", "completeDataSetRegistrations",
    "analytics", "validationRules", "minMax",
)  # fmt: skip
USUAL = ("metadata", "organisationUnits", "dataApprovals", "dataValueSets", "completeDataSetRegistrations")
