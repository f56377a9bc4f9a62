"""Which columns hold words, which whole numbers; all others hold numbers."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

Kind: TypeAlias = Literal["text", "integer", "number"]

_TEXT: Final = frozenset(
    {"input", "reason", "emotion", "unit", "Identity", "approx_time", "subject", "sequence", "path"}
)
_INTEGER: Final = frozenset({"frame", "face_id", "success"})


def kind_of(column: str) -> Kind:
    """What a column of norface's tables holds."""
    if column in _TEXT:
        return "text"
    return "integer" if column in _INTEGER else "number"


def cell(value: object) -> str:
    """A value as the text of a CSV cell; unknown (None, NaN) is empty."""
    if value is None or value != value:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    return str(value)


def parsed(column: str, text: str) -> str | int | float | None:
    """A CSV cell as the value that JSON has for it; empty is None.

    Raises:
        ValueError: it is not what the column holds.
    """
    if not text:
        return None
    kind = kind_of(column)
    if kind == "text":
        return text
    if kind == "integer" or text.lstrip("-").isdecimal():
        return int(text)
    return float(text)
