"""Aggregate values as other systems write them: ADX (IHE QRPH) and DHIS2's DXF2 in XML, JSON and CSV, in and out."""
