"""The scaffold of the apps: events are done once and in order, errors become sentences, nothing typed reaches the log."""

import html
import json
import logging
import re
from types import SimpleNamespace

import pytest

from tkyt_analysis.app_shell import page as shell
from tkyt_analysis.app_shell.app import LARGEST, PageApp
from tkyt_analysis.app_shell.log import log
from tkyt_analysis.errors import InputError

TYPED = "Lò Thị Thử <b>"


def skeleton(language, *, practice):
    head = shell.head_html(language, title="Thử", choose_language="Ngôn ngữ", tabs={"one": "Một"})
    return shell.frame_html(language, head, shell.panel_html("one"), practice=practice, words={"lost": 'mất "kết nối"'})


class Tried(PageApp):
    name, broken, quiet = "tried", "coder.broken", ("here",)
    markup = SimpleNamespace(style_html=str, script_html=str, skeleton_html=skeleton)

    def __init__(self, home):
        self.did = []
        super().__init__(home, "vi")

    def do(self, event):
        if event["do"] == "refuse":
            raise InputError("error.capture_choose_place")
        if event["do"] == "break":
            raise ValueError(TYPED)
        self.did.append(event["do"])

    def shown(self):
        return {"did": self.did}


@pytest.fixture
def app(tmp_path):
    made = Tried(tmp_path)
    yield made
    made.close()


def told(app, *events):
    app._told.value = json.dumps({"events": [{"s": number, "do": what} for number, what in events]})


def sent(app):
    """The state as the page reads it."""
    return json.loads(html.unescape(re.search(r'data-state="(.*)"', app._shown.value)[1]))


def test_an_event_that_the_page_repeats_is_done_once_and_in_order(app):
    told(app, (1, "a"), (2, "b"))
    told(app, (1, "a"), (2, "b"), (3, "c"))
    assert app.did == ["a", "b", "c"]
    assert (sent(app)["ack"], sent(app)["did"]) == (3, ["a", "b", "c"])


@pytest.mark.parametrize("text", ["", "{", "[]", '{"events": [{"s": "x"}]}', " " * (LARGEST + 1)])
def test_a_message_that_is_none_is_passed_over(app, text):
    app._told.value = text
    assert (app.did, app.error) == ([], "")


def test_a_refused_step_is_a_sentence_and_the_next_one_is_done(app):
    app.receive([{"do": "refuse"}, {"do": "here"}])
    assert app.did == ["here"]
    assert sent(app)["said"] == {"v": sent(app)["said"]["v"], "text": app.error, "kind": "error"}  # "here" leaves it
    app.receive([{"do": "a"}])
    assert sent(app)["said"]["text"] == ""


def test_what_should_not_happen_is_logged_by_its_place_without_what_was_typed(app):
    records = []
    keep = logging.Handler()
    keep.emit = records.append
    log.addHandler(keep)
    app.receive([{"do": "break"}])
    log.removeHandler(keep)
    (message,) = [one.getMessage() for one in records]
    assert re.match(r"tried [0-9a-f]{6} ValueError: test_app_shell.py:\d+ < app.py", message)
    assert "Lò" not in message
    assert message.split()[1] in app.error  # the code by which the page's sentence finds its line


def test_the_frame_escapes_the_script_s_words_and_follows_the_language(app):
    assert 'data-lost="mất &quot;kết nối&quot;"' in app._skeleton.value
    assert '<option value="vi" selected>' in app._skeleton.value
    app.speak("en")
    assert '<option value="en" selected>' in app._skeleton.value
    app.speak("fr")
    assert app.language == "en"
