"""The SQL cell: `%%sql` sends a cell to `tk.sql`; `%%sql name` also keeps the table under that name."""

from __future__ import annotations

from typing import Any


def register(shell: Any) -> None:
    """Make `%%sql` known to a notebook."""

    def sql(line: str, cell: str | None = None) -> Any:
        from tkyt_analysis.api.opening import current

        if cell is None:
            return current().sql(line)
        table = current().sql(cell)
        name = line.strip()
        if name.isidentifier():
            shell.user_ns[name] = table
        return table

    shell.register_magic_function(sql, magic_kind="line_cell", magic_name="sql")
