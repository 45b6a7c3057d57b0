"""Builds the form of a wizard section. It reads what was posted, any text; what it means is judged elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from werkzeug.datastructures import MultiDict
from wtforms.form import BaseForm

from app.fields import registry as field_types
from app.fields.base import FieldSpec, Raw

BASE = "base:"
"""Prefix of the hidden inputs that hold the text a field showed when the page was opened."""


class Question(Protocol):
    """What the builder needs to know of a field's state."""

    spec: FieldSpec
    path: str

    @property
    def computed(self) -> bool:
        """Whether it comes from an expression."""

    @property
    def readonly(self) -> bool:
        """Whether the person cannot change it."""


def posted_text(texts: list[str], spec: FieldSpec) -> Raw:
    """The answer as it is kept: line ends unified, several choices as a list, one text otherwise.

    Several texts for a question that takes one stay several, so that the field's type can say so.
    """
    lines = [t.replace("\r\n", "\n").replace("\r", "\n") for t in texts]
    if spec.type == "multiselect":
        return [t for t in lines if t]
    return lines[0] if len(lines) == 1 else (lines or "")


class SectionForm(BaseForm):
    """Form of the questions that came with the post: ``values()`` and ``bases()`` by path."""

    def __init__(self, questions: Iterable[Question], posted: MultiDict[str, str]) -> None:
        self._questions = {
            q.path: q for q in questions if not q.computed and (q.path in posted or BASE + q.path in posted)
        }
        super().__init__({path: field_types.get(q.spec.type).form_field(q.spec) for path, q in self._questions.items()})
        self._posted = posted
        self.process(posted)

    def values(self) -> dict[str, Raw]:
        """What was typed, by path. A read-only field counts only if its text is not the one the page showed."""
        found: dict[str, Raw] = {}
        bases = self.bases()
        for path, question in self._questions.items():
            raw = posted_text(list(self[path].raw_data or ()), question.spec)
            if not question.readonly or (path in self._posted and (raw or "") != (bases.get(path) or "")):
                found[path] = raw
        return found

    def bases(self) -> dict[str, Raw]:
        """What each field showed when the page was opened, by path."""
        return {
            path: posted_text(self._posted.getlist(BASE + path), q.spec)
            for path, q in self._questions.items()
            if BASE + path in self._posted
        }


def build_section_form(questions: Iterable[Question], posted: MultiDict[str, str]) -> SectionForm:
    """The form of a section's ``questions`` (FieldStates), filled with what was posted."""
    return SectionForm(questions, posted)
