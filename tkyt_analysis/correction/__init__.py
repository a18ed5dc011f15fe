"""Error workbooks: a unit's own file with what is to be mended, and its way back through the same door."""
