"""Nothing people read is left in English: our ids are Chinese, and the libraries' texts all have a Chinese one."""

from __future__ import annotations

import re
from pathlib import Path

import flask_appbuilder
import pytest
import wtforms
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parents[2]
OURS = ROOT / "translations" / "zh" / "LC_MESSAGES" / "messages.po"
TEXT = re.compile(r'(?:lazy_gettext|\b_|\bgettext)\(\s*((?:"(?:[^"\\]|\\.)*"\s*)+)\)')
LETTERS = re.compile(r"[A-Za-z]{3,}")
ALLOWED = {"PDF", "Word", "Excel", "JPG", "PNG", "KB", "Shenbao", "msgid"}
# Parts of Flask-AppBuilder that this product does not register.
UNUSED = ("charts", "console", "cli", "security/views.py", "security/forms.py", "security/registerviews.py")


def catalogue(path: Path) -> dict[str, str]:
    """Ids with their translations."""
    with path.open("rb") as file:
        return {str(m.id): str(m.string) for m in read_po(file) if m.id and m.string}


def own_texts() -> list[tuple[str, str]]:
    """Every text of ours that goes through gettext, with its file."""
    found = []
    keywords = {"_": None, "_l": None, "gettext": None, "ngettext": (1, 2), "lazy_gettext": None}
    for folder, method in (("app", [("**.py", "python")]), ("templates", [("**.html", "jinja2.ext:babel_extract")])):
        for name, _line, text, _comments, _context in extract_from_dir(str(ROOT / folder), method, keywords=keywords):
            found += [(f"{folder}/{name}", t) for t in ([text] if isinstance(text, str) else text) if t]
    return found


def test_our_own_texts_are_chinese() -> None:
    texts = own_texts()
    assert len(texts) > 900
    wrong = []
    for place, text in texts:
        words = set(LETTERS.findall(re.sub(r"%\(\w+\)s|\{\w*\}|<[^>]*>|https?://\S+", " ", text)))
        if not re.search(r"[\u4e00-\u9fff]", text) and words - ALLOWED:
            wrong.append((place, text))
    assert not wrong


def test_every_library_text_that_can_show_has_chinese() -> None:
    home = Path(flask_appbuilder.__file__).parent
    known = catalogue(home / "translations" / "zh" / "LC_MESSAGES" / "messages.po") | catalogue(OURS)
    missing = set()
    for path in home.rglob("*.py"):
        if any(part in path.as_posix() for part in UNUSED):
            continue
        for match in TEXT.finditer(path.read_text("utf-8")):
            text = "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', match[1]))
            if text and text not in known:
                missing.add(text)
    assert not missing


@pytest.mark.parametrize("text", ["This field is required.", "Not a valid choice.", "Invalid input."])
def test_form_library_speaks_chinese(text: str) -> None:
    folder = Path(wtforms.__file__).parent / "locale" / "zh" / "LC_MESSAGES"
    assert re.search(r"[\u4e00-\u9fff]", catalogue(folder / "wtforms.po")[text])
