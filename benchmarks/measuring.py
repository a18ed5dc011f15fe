"""What the benchmarks share: repeats and their median, one table, the machine it ran on, and docs/benchmarks.md.

A benchmark is a script `bench_<name>.py` with `main()`. Within each repeat every way runs at every size, one after the
other, so that all meet the same load of the machine; what counts is their ratio, and how time grows with size.
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import re
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

REPOSITORY = Path(__file__).resolve().parents[1]
PAGE = REPOSITORY / "docs" / "benchmarks.md"


def options(description: str, **more: Any) -> argparse.Namespace:
    """`--repeats`, `--large` (a fourth, bigger size) and `--markdown` (put the table into docs/benchmarks.md)."""
    parser = argparse.ArgumentParser(description=description.split("\n")[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--large", action="store_true", help="a bigger size too")
    parser.add_argument("--markdown", action="store_true", help=f"write the table into {PAGE.name}")
    return parser.parse_args()


def seconds(ways: Mapping[tuple[int, str], Callable[[], object]], *, repeats: int) -> dict[tuple[int, str], float]:
    """{(size, way): median seconds}; within a repeat every way runs once at every size, in turn."""
    found: dict[tuple[int, str], list[float]] = {key: [] for key in ways}
    for _ in range(repeats):
        for key, way in ways.items():
            started = time.perf_counter()
            way()
            found[key].append(time.perf_counter() - started)
    return {key: statistics.median(times) for key, times in found.items()}


def compare(
    sizes: list[int], prepare: Callable[[int], Mapping[str, Callable[[], object]]], *, repeats: int, what: str = "rows"
) -> pd.DataFrame:
    """One line per size and way: seconds, rows per second, times the first way's seconds, growth over the size before."""
    ways = {(size, name): way for size in sizes for name, way in prepare(size).items()}
    medians = seconds(ways, repeats=repeats)
    first = next(name for _, name in ways)
    smaller = dict(zip(sizes[1:], sizes))
    lines = []
    for (size, name), median in medians.items():
        rate = size / median
        lines.append(
            {
                what: f"{size:,}",
                "way": name,
                "seconds (median)": f"{median:.3f}",
                f"{what} per second": f"{rate:,.0f}" if rate >= 10 else f"{rate:.2f}",
                "times the first way": f"{median / medians[size, first]:.2f}",
                "growth": f"×{median / medians[smaller[size], name]:.1f}" if size in smaller else "–",
            }
        )
    return pd.DataFrame(lines)


def machine() -> str:
    """Processor, cores, memory, load and versions, in one line."""
    import duckdb

    cpu = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text("utf-8", errors="replace"))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{cpu.group(1) if cpu else platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GiB; "
        f"load {os.getloadavg()[0]:.1f} at the end; Python {platform.python_version()}, pandas {pd.__version__}, "
        f"DuckDB {duckdb.__version__}"
    )


def present(name: str, question: str, table: pd.DataFrame, notes: list[str], *, repeats: int, markdown: bool) -> None:
    """Print the table; with `markdown`, put it in place of the script's section of docs/benchmarks.md."""
    when = f"{datetime.date.today().isoformat()}; {machine()}; median of {repeats} repeats"
    print(f"\n{question}\n{when}\n\n{table.to_string(index=False)}\n", *(f"* {note}" for note in notes), sep="\n")
    if markdown:
        section = f"## {question}\n\n`python benchmarks/{name}.py` — {when}\n\n{as_markdown(table)}\n\n"
        put_section(name, section + "\n".join(f"* {note}" for note in notes) + "\n")


def as_markdown(table: pd.DataFrame) -> str:
    """The table in Markdown, numbers to the right."""
    lines = ["| " + " | ".join(table.columns) + " |"]
    lines.append("|" + "|".join("---" if column == "way" else "---:" for column in table.columns) + "|")
    lines += ["| " + " | ".join(map(str, row)) + " |" for row in table.itertuples(index=False)]
    return "\n".join(lines)


def put_section(name: str, text: str) -> None:
    """Replace the section between the marks of `name`, or add it at the end."""
    head = (
        "# Đo tốc độ / Benchmarks\n\nTrang này do các tệp `benchmarks/bench_*.py --markdown` ghi ra; không sửa bằng tay. "
        "Đọc tỷ số trong cùng một bảng, đừng so số giây giữa hai máy.\n\nWritten by `benchmarks/bench_*.py --markdown`, not by "
        "hand. Read the ratios within a table; seconds of two machines, or of two loads, do not compare.\n"
    )
    page = PAGE.read_text("utf-8") if PAGE.exists() else head
    block = f"<!-- {name} -->\n{text}<!-- end {name} -->\n"
    pattern = re.compile(rf"<!-- {name} -->.*?<!-- end {name} -->\n", re.DOTALL)
    page = pattern.sub(lambda _: block, page) if pattern.search(page) else f"{page.rstrip()}\n\n{block}"
    PAGE.write_text(page, "utf-8")


def scratch() -> tempfile.TemporaryDirectory:
    """A folder that is gone at the end; the key of homes inside it lies in it too, not among the user's."""
    folder = tempfile.TemporaryDirectory(prefix="tkyt-bench-")
    os.environ["TKYT_KEY_FILE"] = str(Path(folder.name) / "bench.key")
    return folder
