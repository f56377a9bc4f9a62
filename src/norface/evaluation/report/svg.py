"""Small SVG drawings as text. Colours are the page's, by class: see `style.css`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from html import escape

import numpy as np


@dataclass(slots=True)
class Drawing:
    """Elements in pixels, from the upper left corner.

    Attributes:
        width: of the whole.
        height: of the whole.
        title: for those who cannot see it.
        parts: the elements so far.
    """

    width: float
    height: float
    title: str
    parts: list[str] = field(default_factory=list)

    def line(self, x1: float, y1: float, x2: float, y2: float, kind: str) -> None:
        """A straight line."""
        self.parts.append(
            f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'
        )

    def rectangle(
        self, x: float, y: float, width: float, height: float, kind: str, *,
        opacity: float = 1.0, tip: str = "",
    ) -> None:  # fmt: skip
        """A filled rectangle; `tip` shows under the mouse."""
        faint = f' fill-opacity="{opacity:.3f}"' if opacity < 1 else ""
        self.parts.append(
            f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{max(width, 0):.1f}" '
            f'height="{max(height, 0):.1f}"{faint}>{_tip(tip)}</rect>'
        )

    def dot(self, x: float, y: float, kind: str, *, radius: float = 4, tip: str = "") -> None:
        """A filled circle."""
        self.parts.append(
            f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}">{_tip(tip)}</circle>'
        )

    def diamond(self, x: float, y: float, kind: str, *, radius: float = 5, tip: str = "") -> None:
        """A square on its corner."""
        r = radius
        points = f"{x:.1f},{y - r:.1f} {x + r:.1f},{y:.1f} {x:.1f},{y + r:.1f} {x - r:.1f},{y:.1f}"
        self.parts.append(f'<polygon class="{kind}" points="{points}">{_tip(tip)}</polygon>')

    def text(
        self, x: float, y: float, text: str, *, anchor: str = "start", kind: str = "",
        turned: bool = False,
    ) -> None:  # fmt: skip
        """Words, their baseline at y; turned ones run upwards."""
        turn = f' transform="rotate(-90 {x:.1f} {y:.1f})"' if turned else ""
        self.parts.append(
            f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{turn}>'
            f"{escape(text)}</text>"
        )

    def legend(self, x: float, y: float, entries: Iterable[tuple[str, str]]) -> None:
        """Squares with words from (x, y) to the right: (kind, words)."""
        for kind, words in entries:
            self.rectangle(x, y - 9, 10, 10, kind)
            self.text(x + 15, y, words)
            x += 15 + 6.6 * len(words) + 22

    def svg(self) -> str:
        """The element for a page."""
        return (
            f'<svg viewBox="0 0 {self.width:g} {self.height:g}" '
            f'style="max-width:{self.width:g}px" role="img" aria-label="{escape(self.title)}">'
            f"{''.join(self.parts)}</svg>"
        )


@dataclass(frozen=True, slots=True)
class Scale:
    """Values on a straight axis.

    Attributes:
        low: value at `start`.
        high: value at `end`.
        start: pixel.
        end: pixel; may lie before `start`.
    """

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """The pixel of a value; of one outside, the nearer end."""
        share = (value - self.low) / (self.high - self.low)
        return self.start + min(max(share, 0.0), 1.0) * (self.end - self.start)

    def ticks(self, most: int = 6) -> list[float]:
        """Round values, at most so many steps."""
        span = self.high - self.low
        step = 10.0 ** np.floor(np.log10(span / most))
        step = next(step * k for k in (1, 2, 2.5, 5, 10) if span / (step * k) <= most)
        first = np.ceil(self.low / step - 1e-9)
        return [
            float((first + i) * step) for i in range(int((self.high / step) - first + 1e-9) + 1)
        ]


def _tip(text: str) -> str:
    return f"<title>{escape(text)}</title>" if text else ""
