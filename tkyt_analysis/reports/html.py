"""An executed notebook → the body of a page: texts and outputs, and the code only where it is asked for."""

from __future__ import annotations

import base64
import html
from typing import Any


def notebook_body(notebook: Any, *, show_code: bool = False) -> str:
    """HTML of the markdown cells and of the outputs, in order; stream output and warnings are left out."""
    parts = []
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            parts.append(markdown(cell.source))
        elif cell.cell_type == "code":
            parts += [_code(cell)] if show_code and cell.source.strip() else []
            parts += [_output(output) for output in cell.get("outputs", [])]
    return "\n".join(part for part in parts if part)


def markdown(text: str) -> str:
    """Markdown as HTML; raw HTML in it is escaped."""
    import mistune

    return str(mistune.create_markdown(escape=True, plugins=["table"])(text))


def _code(cell: Any) -> str:
    return f'<pre class="code"><code>{html.escape(cell.source)}</code></pre>'


def _output(output: Any) -> str:
    data = output.get("data", {})
    if "text/html" in data:
        return _joined(data["text/html"])
    if "text/markdown" in data:
        return markdown(_joined(data["text/markdown"]))
    if "image/svg+xml" in data:
        return f'<figure class="chart">{_joined(data["image/svg+xml"])}</figure>'
    if "image/png" in data:
        picture = data["image/png"].strip()
        base64.b64decode(picture, validate=False)
        return f'<figure class="chart"><img alt="" src="data:image/png;base64,{picture}"></figure>'
    if "text/plain" in data and output.get("output_type") == "execute_result":
        return f"<pre>{html.escape(_joined(data['text/plain']))}</pre>"
    return ""


def _joined(text: Any) -> str:
    return "".join(text) if isinstance(text, list) else text
