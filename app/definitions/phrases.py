"""Opinions that are written often: a step's own before the general ones of ``reference/opinion_phrases.yaml``."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import yaml

from app.definitions.schema import Step

_FILE = Path(__file__).parent / "reference" / "opinion_phrases.yaml"


@cache
def common_phrases() -> Mapping[str, tuple[str, ...]]:
    """The general opinions by deed (``confirm``, ``return``, …)."""
    return {action: tuple(texts) for action, texts in yaml.safe_load(_FILE.read_text("utf-8")).items()}


def phrases_for(step: Step | None, action: str) -> tuple[str, ...]:
    """Opinions to pick from for ``action`` at ``step``, each once."""
    own = step.phrases.get(action, ()) if step is not None else ()
    return tuple(dict.fromkeys((*own, *common_phrases().get(action, ()))))
