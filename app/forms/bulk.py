"""What is posted from a queue: chosen rows with the version seen, what is to be done with them, and claims."""

from __future__ import annotations

from werkzeug.datastructures import MultiDict

from app.errors import InvalidInput
from app.forms.review import read_version

LONGEST_ID = 36


def read_chosen(data: MultiDict[str, str]) -> dict[str, int]:
    """Chosen rows ``chosen=<public id>:<version>`` in their order. InvalidInput for anything else."""
    chosen: dict[str, int] = {}
    for text in data.getlist("chosen"):
        public_id, _colon, version = text.partition(":")
        if len(public_id) != LONGEST_ID or not public_id.isascii():
            raise InvalidInput("勾选的内容有问题，什么都没有办。请回到列表，刷新后重新勾选。")
        chosen[public_id] = read_version(version)
    return chosen


def read_colleague(data: MultiDict[str, str]) -> int | None:
    """Account id of the chosen colleague, None if nobody was chosen. InvalidInput for anything that is no id."""
    text = data.get("colleague", "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        sentence = "选中的同事有问题，没有转交。请刷新页面后重新选。"
        raise InvalidInput(sentence, fields={"colleague": sentence})
    return int(text)
