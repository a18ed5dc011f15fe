"""The release's table of persons: each death once, made of all records of it; the way from received rows to analysed deaths."""
