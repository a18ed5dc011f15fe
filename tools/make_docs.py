"""Documentation pages: README, docs/, the catalog and the rule tables → build/docs/*.html.

    python tools/make_docs.py [--output DIR]

Each page is one file that loads nothing. Markdown is rendered with mistune, raw HTML in it is shown as text. Catalog pages are
generated from the entries, in Vietnamese and in English, with a link between the two.
"""

from __future__ import annotations

import argparse
import base64
import posixpath
import re
import subprocess
import sys
from html import escape
from pathlib import Path

import mistune

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(Path(__file__).resolve().parent))

from docs_catalog import catalog_pages  # noqa: E402

from tkyt_analysis.pages import page  # noqa: E402

OUTPUT = REPOSITORY / "build" / "docs"
NAVIGATION = [
    ("Trang đầu", "index.html"),
    ("Hướng dẫn / Guide", "huong_dan.html"),
    ("Danh mục / Catalog", "catalog.html"),
    ("Từ ngữ / Glossary", "glossary.html"),
    ("Kiến trúc / Architecture", "architecture.html"),
    ("Đo tốc độ / Benchmarks", "benchmarks.html"),
]
STYLE = """<style>
pre { background: var(--tint); border: 1px solid var(--line); border-radius: 4px; padding: .6rem .8rem; overflow-x: auto; font-size: .88rem; line-height: 1.45; }
code { font-size: .9em; overflow-wrap: anywhere; } pre code { font-size: 1em; } pre code, table code { overflow-wrap: normal; }
main img { max-width: 100%; height: auto; border: 1px solid var(--line); } main li { max-width: 44rem; margin: .2rem 0; }
blockquote { margin: .8rem 0; padding: .2rem 1rem; border-left: 5px solid var(--line); } hr { border: 0; border-top: 1px solid var(--line); margin: 2.5rem 0; }
.switch { float: right; margin: .4rem 0 .4rem 1rem; }
</style>"""


class Renderer(mistune.HTMLRenderer):
    """HTML of one Markdown file: links to other pages of the documentation, pictures inside, tables that scroll."""

    def __init__(self, source: Path, pages: dict[str, str]) -> None:
        super().__init__(escape=True)
        self.source, self.pages = source, pages

    def link(self, text: str, url: str, title: str | None = None) -> str:
        return super().link(text, self._address(url), title)

    def heading(self, text: str, level: int, **attrs: object) -> str:
        return f'<h{level} id="{escape(anchor(text))}">{text}</h{level}>\n'

    def image(self, text: str, url: str, title: str | None = None) -> str:
        path = (self.source.parent / url).resolve()
        if not path.is_file():
            raise SystemExit(f"{self.source}: picture {url} is absent")
        return f'<img src="{data_uri(path)}" alt="{escape(text, quote=True)}">'

    def block_html(self, html: str) -> str:
        return "" if html.lstrip().startswith("<!--") else super().block_html(html)

    def _address(self, url: str) -> str:
        """The page of a file of ours; a file without a page keeps its path from the pages' folder."""
        path, _, place = url.partition("#")
        if not path or ":" in path.split("/")[0]:
            return url
        target = posixpath.normpath(
            posixpath.join(posixpath.dirname(self.source.relative_to(REPOSITORY).as_posix()), path)
        )
        if not (REPOSITORY / target).exists():
            raise SystemExit(f"{self.source}: link to {url} leads nowhere")
        found = self.pages.get(target) or self.pages.get(f"{target}/") or f"../../{target}"
        return found + (f"#{place}" if place else "")


def anchor(text: str) -> str:
    """Identifier of a heading, as GitHub makes it."""
    plain = re.sub(r"<[^>]+>", "", text).lower()
    return re.sub(r"[^\w\- ]", "", plain).strip().replace(" ", "-")


def data_uri(path: Path) -> str:
    """A picture as text inside the page."""
    kind = {".png": "image/png", ".jpg": "image/jpeg", ".svg": "image/svg+xml"}[path.suffix]
    return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode('ascii')}"


def markdown_files() -> dict[str, str]:
    """{path in the repository: page} of every Markdown file that becomes a page."""
    files = {
        "README.md": "index.html",
        "CHANGELOG.md": "changelog.html",
        "benchmarks/README.md": "benchmarks_readme.html",
    }
    files |= {f"docs/{path.name}": f"{path.stem}.html" for path in sorted((REPOSITORY / "docs").glob("*.md"))}
    files |= {
        f"docs/adr/{path.name}": f"adr_{path.stem}.html" for path in sorted((REPOSITORY / "docs" / "adr").glob("*.md"))
    }
    return {path: name for path, name in files.items() if (REPOSITORY / path).is_file()}


def render(path: str, pages: dict[str, str]) -> tuple[str, str]:
    """(title, HTML) of one Markdown file."""
    source = REPOSITORY / path
    markdown = mistune.create_markdown(renderer=Renderer(source, pages), plugins=["table", "strikethrough"])
    html = str(markdown(source.read_text("utf-8")))
    html = html.replace("<table>", '<div class="scroll" tabindex="0"><table class="data">').replace(
        "</table>", "</table></div>"
    )
    title = re.search(r"<h1[^>]*>(.*?)</h1>", html, re.DOTALL)
    return (re.sub(r"<[^>]+>", "", title.group(1)) if title else path), html


def adr_index(pages: dict[str, str]) -> str:
    """Links to the decisions, in order."""
    found = sorted(
        (path, name) for path, name in pages.items() if path.startswith("docs/adr/") and path.endswith(".md")
    )
    items = "".join(f'<li><a href="{name}">{escape(render(path, pages)[0])}</a></li>' for path, name in found)
    return f"<ul>{items}</ul>"


def version() -> str:
    done = subprocess.run(["git", "log", "-1", "--format=%h %cs"], cwd=REPOSITORY, capture_output=True, text=True)
    return done.stdout.strip() or "–"


def write(output: Path, name: str, title: str, body: str, *, language: str = "vi") -> None:
    """One finished page."""
    text = page(
        title,
        STYLE + body,
        language=language,
        practice=False,
        navigation=NAVIGATION,
        passport={"tools/make_docs.py": version()},
        heading=False,
    )
    (output / name).write_text(text, "utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--output", type=Path, default=OUTPUT)
    output = parser.parse_args().output
    output.mkdir(parents=True, exist_ok=True)
    pages = markdown_files() | {"docs/adr/": "adr.html", "data_catalog/": "catalog.html"}
    for path, name in pages.items():
        if path.endswith(".md"):
            write(output, name, *render(path, pages))
    write(output, "adr.html", "Quyết định / Decisions", f"<h1>Vì sao chọn như vậy / Decisions</h1>{adr_index(pages)}")
    count = len(pages) - 1
    for name, title, body, language in catalog_pages():
        write(output, name, title, body, language=language)
        count += 1
    print(f"{count} trang / pages: {(output / 'index.html').resolve().as_uri()}")


if __name__ == "__main__":
    main()
