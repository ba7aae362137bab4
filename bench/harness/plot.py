# SPDX-License-Identifier: Apache-2.0
"""Line charts on logarithmic axes, as SVG."""

import math
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 720, 400
LEFT, RIGHT, TOP, BOTTOM = 70, 150, 40, 50  # around the drawing; the legend is at the right
COLOURS = ["#0b6e4f", "#c8553d", "#8f6cb3", "#2f6690", "#7a7a7a", "#b08900"]


def _steps(low, high):
    """1, 2, 5, 10, 20 … that span low to high; a wide span has powers of ten alone."""
    digits = (1,) if high / low > 2000 else (1, 2, 5)
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    steps = [d * 10.0**e for e in range(first, last + 1) for d in digits]
    start = max((s for s in steps if s <= low * 1.001), default=steps[0])
    end = min((s for s in steps if s >= high * 0.999), default=steps[-1])
    return [s for s in steps if start <= s <= end]


def _short(value):
    for size, unit in ((1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g} {unit}"
    return f"{value:g}"


class _Axis:
    def __init__(self, values, start, end, ticks=None):
        self.ticks = ticks or _steps(min(values), max(values))
        self.low, self.high = math.log10(self.ticks[0]), math.log10(self.ticks[-1])
        self.start, self.end = start, end

    def at(self, value):
        share = (math.log10(value) - self.low) / ((self.high - self.low) or 1)
        return round(self.start + share * (self.end - self.start), 1)


def _text(x, y, text, anchor="middle", more=""):
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}"{more}>{escape(text)}</text>'


def _frame(x_axis, y_axis, title, x_label, y_label):
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    out = [_text(LEFT, 22, title, "start", ' font-size="15" font-weight="bold"'),
           _text((LEFT + right) / 2, HEIGHT - 12, x_label),
           _text(18, (TOP + bottom) / 2, y_label,
                 more=f' transform="rotate(-90 18 {(TOP + bottom) / 2})"')]
    for tick in x_axis.ticks:
        x = x_axis.at(tick)
        out.append(f'<path d="M{x} {TOP}V{bottom}" stroke="#e4e4e4"/>')
        out.append(_text(x, bottom + 18, _short(tick)))
    for tick in y_axis.ticks:
        y = y_axis.at(tick)
        out.append(f'<path d="M{LEFT} {y}H{right}" stroke="#e4e4e4"/>')
        out.append(_text(LEFT - 8, y + 4, _short(tick), "end"))
    return out


def _series(x_axis, y_axis, number, name, points):
    colour = COLOURS[number % len(COLOURS)]
    spots = [(x_axis.at(x), y_axis.at(y)) for x, y in points]
    path = "L".join(f"{x} {y}" for x, y in spots)
    y = TOP + 14 + 20 * number
    at = WIDTH - RIGHT + 14
    return [f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"/>',
            *(f'<circle cx="{x}" cy="{y}" r="3.5" fill="{colour}"/>' for x, y in spots),
            f'<path d="M{at} {y - 4}h20" stroke="{colour}" stroke-width="2"/>',
            _text(at + 26, y, name, "start")]


def chart(title, x_label, y_label, series, x_ticks=None):
    """series: [(name, [(x, y), …])], all values over 0."""
    points = [p for _, line in series for p in line]
    x_axis = _Axis([x for x, _ in points], LEFT, WIDTH - RIGHT, x_ticks)
    y_axis = _Axis([y for _, y in points], HEIGHT - BOTTOM, TOP)
    body = _frame(x_axis, y_axis, title, x_label, y_label)
    for number, (name, line) in enumerate(series):
        body += _series(x_axis, y_axis, number, name, line)
    return "\n".join(
        [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
         f'width="{WIDTH}" font-family="sans-serif" font-size="12" fill="#222">',
         f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>', *body, "</svg>", ""])
