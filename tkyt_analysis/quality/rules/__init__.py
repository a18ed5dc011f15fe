"""Expression rules: text of the catalog → expression → one SQL query over the cells; and the same judged by hand."""
