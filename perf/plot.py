# SPDX-License-Identifier: BSD-3-Clause
"""Bar charts as SVG: one group of bars for each row, a colour for each series."""
from xml.sax.saxutils import escape

BAR, GAP, LEFT, WIDTH, TOP = 11, 8, 250, 460, 46
COLOURS = ["#06c", "#6ad", "#c60", "#888", "#393", "#a5c"]


def text(x, y, words, anchor="start", colour="#000"):
    return (f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}" fill="{colour}">'
            f"{escape(words)}</text>")


def bar(y, value, low, high, scale, colour):
    """The median, and a line from the least to the most."""
    middle = y + BAR / 2 - 1
    return (f'<rect x="{LEFT}" y="{y}" width="{value * scale:.1f}" height="{BAR - 2}" '
            f'fill="{colour}"/>'
            f'<line x1="{LEFT + low * scale:.1f}" x2="{LEFT + high * scale:.1f}" y1="{middle}" '
            f'y2="{middle}" stroke="#000"/>')


def bars(title, unit, series, rows):
    """rows: (label, {series: {"median", "min", "max"}}); a series may be missing in a row."""
    most = max((s["max"] for _, of in rows for s in of.values()), default=1) or 1
    scale = WIDTH / most
    out, y = [], TOP
    for label, of in rows:
        out.append(text(LEFT - 6, y + BAR, label, "end"))
        for k, name in enumerate(series):
            if name not in of:
                continue
            s = of[name]
            out.append(bar(y, s["median"], s["min"], s["max"], scale, COLOURS[k % len(COLOURS)]))
            out.append(text(LEFT + s["max"] * scale + 4, y + BAR - 2, short(s["median"])))
            y += BAR
        y += GAP
    legend = "".join(text(LEFT + 130 * k, 34, name, colour=COLOURS[k % len(COLOURS)])
                     for k, name in enumerate(series))
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH + 70}" height="{y + 4}" '
            f'font-family="sans-serif" font-size="10">'
            f'<rect width="100%" height="100%" fill="#fff"/>{text(8, 18, f"{title} ({unit})")}'
            f'{legend}{"".join(out)}</svg>\n')


def short(n):
    if n >= 1e6:
        return f"{n / 1e6:.2f} M"
    if n >= 1e4:
        return f"{n / 1e3:.0f} k"
    return f"{n:.0f}" if n >= 100 else f"{n:.2f}"


def write(path, *args):
    with open(path, "w", encoding="utf-8") as file:
        file.write(bars(*args))
