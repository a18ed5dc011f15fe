"""What outlasts the picture: named views, the view put aside, files to take away, the code."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from tkyt_analysis.errors import InputError, TkytError
from tkyt_analysis.explorer import page, views
from tkyt_analysis.explorer.controls import fill, show
from tkyt_analysis.explorer.state import State
from tkyt_analysis.labels import format_number, label

if TYPE_CHECKING:
    from tkyt_analysis.explorer.app import ExplorerApp

JSON_TYPE = "application/json"
LARGEST_LINK = 8_000_000  # bytes of a file that a page carries as a link


class Keeping:
    """The parts of the page below the picture."""

    def __init__(self, app: ExplorerApp) -> None:
        self.app, self.pick = app, app.pick
        self.directory = views.views_directory(app.source.home, app.source.account)
        self._last: State | None = None
        self._first = app.state
        self._offered: State | None = None

    def listen(self, on: Callable[[Any, Callable[[], None]], None]) -> None:
        """Let the buttons do their work."""
        for name in ("save", "open", "rename", "delete", "share", "resume", "fresh"):
            on(getattr(self.pick, name), partial(self._said, getattr(self, f"_{name}")))
        for kind, button in self.pick.exports.items():
            on(button, partial(self._export, kind))
        self.pick.take.observe(lambda change: self._said(self._take) if change["new"] else None, "value")
        self.pick.headings["save"].observe(lambda change: self.list_views() if change["new"] else None, "value")

    # -- named views

    def list_views(self, chosen: str = "") -> None:
        """The saved views in the list."""
        found = views.list_views(self.directory)
        none = [(label("explorer.no_views", self.app.language), "")]
        with self.pick.quiet():
            fill(self.pick.saved, [(_words(one), one.name) for one in found] or none, chosen or None)

    def _said(self, step: Callable[[], str]) -> None:
        """Run a step and say its sentence, or why it could not be done."""
        language = self.app.language
        try:
            self.pick.said.value = page.said_html(step(), language)
        except TkytError as error:
            self.pick.said.value = page.said_html(error.sentence(language), language, error=True)
        except OSError:
            sentence = label("explorer.not_writable", language, directory=self.directory)
            self.pick.said.value = page.said_html(sentence, language, error=True)

    def _save(self) -> str:
        release_id = self.app.source.release.release_id
        view = views.SavedView(self.pick.name.value, self.app.state, self.pick.note.value, release_id)
        same = self.pick.saved.value == views.checked_name(view.name)
        kept = views.save_view(self.directory, view, replacing=same)
        self.list_views(kept.name)
        return label("explorer.saved", self.app.language, name=kept.name, file=views.file_of(self.directory, kept.name))

    def _chosen(self) -> str:
        if not self.pick.saved.value:
            raise InputError("error.view_none_chosen")
        return str(self.pick.saved.value)

    def _open(self) -> str:
        return self._shown(views.open_view(self.directory, self._chosen()))

    def _shown(self, view: views.SavedView) -> str:
        """Show a view; what the release no longer has is said where the picture stands."""
        self.app.go(view.state, trail=[])
        self.pick.name.value, self.pick.note.value = view.name, view.note
        note = f" {view.note}" if view.note else ""
        return label("explorer.opened", self.app.language, name=view.name) + note

    def open_named(self, name: str) -> None:
        """Open the view that an address names; a name that is not there is said."""
        self.pick.headings["save"].value = True
        self._said(lambda: self._shown(views.open_view(self.directory, name)))

    def _rename(self) -> str:
        old, new = self._chosen(), self.pick.name.value
        kept = views.rename_view(self.directory, old, new)
        self.list_views(kept.name)
        return label("explorer.renamed", self.app.language, old=old, new=kept.name)

    def _delete(self) -> str:
        name = self._chosen()
        views.delete_view(self.directory, name)
        self.list_views()
        return label("explorer.deleted", self.app.language, name=name)

    def _share(self) -> str:
        view = views.open_view(self.directory, self._chosen())
        path = views.file_of(self.directory, view.name)
        words = label("explorer.download", self.app.language, file=path.name, size=_size(len(view.text())))
        content = view.text().encode()
        self.pick.download.value = page.download_html(
            path.name, content, JSON_TYPE, words, str(path), self.app.language
        )
        self.pick.headings["export"].value = True
        return label("explorer.shared", self.app.language, name=view.name)

    def _take(self) -> str:
        """A view that somebody shared: kept under its name (or the next free one), and shown."""
        file = self.pick.take.value[0]
        self.pick.take.value = ()
        view = views.read_view(bytes(file["content"]), file=str(file["name"]))
        kept = self._kept_under_free_name(view)
        self.list_views(kept.name)
        return self._shown(kept)

    def _kept_under_free_name(self, view: views.SavedView) -> views.SavedView:
        for number in range(1, 100):
            name = view.name if number == 1 else f"{view.name} ({number})"
            try:
                return views.save_view(self.directory, views.SavedView(name, view.state, view.note, view.release_id))
            except InputError as error:
                if error.key != "error.view_taken":
                    raise
        raise InputError("error.view_taken", name=view.name)

    # -- the view in work

    def put_aside(self) -> None:
        """Keep the view in work; one that nobody touched is not worth it. A disk that refuses is no reason to stop."""
        state = self.app.state
        if state in (self._last, self._first) or self.app.problem is not None:
            return
        try:
            views.keep_last(self.directory, state, self.app.source.release.release_id)
            self._last = state
        except OSError:
            return

    def offer_last(self) -> None:
        """Offer the view that was in work when the explorer was last open."""
        last = views.last_state(self.directory)
        self._offered = last if last != self.app.state else None
        offered = self._offered is not None
        for widget in (self.pick.resuming, self.pick.resume, self.pick.fresh):
            show(widget, offered)
        if offered:
            sentence = label("explorer.resume_question", self.app.language)
            self.pick.resume_text.value = page.small_html(sentence, self.app.language)

    def _resume(self) -> str:
        show(self.pick.resuming, False)
        if self._offered is not None:
            self.app.go(self._offered, trail=[])
        return ""

    def _fresh(self) -> str:
        show(self.pick.resuming, False)
        return ""

    # -- code and files

    def show_code(self) -> None:
        """The code of what is shown; the file made before belonged to another picture."""
        self.pick.code.value = page.code_html(self.app.code, self.app.language)
        if self.pick.download.value:
            self.pick.download.value = ""

    def _export(self, kind: str) -> None:
        from tkyt_analysis.explorer.take_away import take_away

        language = self.app.language
        if self.app.pivot is None:
            self.pick.download.value = page.said_html(
                label("explorer.nothing_to_export", language), language, error=True
            )
            return
        self.pick.download.value = page.status_html(label("explorer.computing", language), language, busy=True)
        try:
            raw = self.app.source.unprotected(self.app.state.view, self.app.state.layout)
            made = take_away(raw, kind, source=self.app.source, language=language, internal=self.pick.internal.value)
        except (TkytError, OSError) as error:
            sentence = error.sentence(language) if isinstance(error, TkytError) else str(error)
            self.pick.download.value = page.said_html(sentence, language, error=True)
            return
        words = label("explorer.download", language, file=made.name, size=_size(len(made.content)))
        place = label("explorer.file_lies", language, path=made.path) if made.path else ""
        content = made.content if len(made.content) <= LARGEST_LINK or not made.path else b""
        self.pick.download.value = page.download_html(made.name, content, made.kind, words, place, language)


def _size(count: int) -> str:
    return f"{format_number(max(1, round(count / 1024)), 0)} KB"


def _words(view: views.SavedView) -> str:
    return f"{view.name} ({view.saved_at[:10]})" if view.saved_at else view.name
