# SPDX-License-Identifier: BSD-3-Clause
"""Tables and bars of what was measured: {scene: [(row, {column: [number of each run]})]}."""
import statistics

COLOURS = ["#888", "#06c", "#6ad", "#093"]
BAR, GAP, HEIGHT, LEFT = 12, 14, 180, 60


def cell(runs):
    median = statistics.median(runs)
    if len(runs) == 1:
        return f"{median:.4g}"
    return f"{median:.4g} ({min(runs):.4g} to {max(runs):.4g})"


def table(title, rows):
    columns = list(rows[0][1])
    out = [f"\n{title}:\n", f"| | {' | '.join(columns)} |", "|---|" + "---|" * len(columns)]
    out += [f"| {name} | {' | '.join(cell(of[c]) for c in columns)} |" for name, of in rows]
    return "\n".join(out)


def bars(title, rows, top):
    """One group of bars for each row, its heights as part of the row's highest."""
    columns = list(rows[0][1])
    step = BAR * len(columns) + GAP
    out = [f'<text x="{LEFT}" y="{top}" font-size="12">{title}; of each group\'s highest</text>']
    for k, column in enumerate(columns):
        out.append(f'<text x="{LEFT + 150 * k}" y="{top + 16}" fill="{COLOURS[k]}">{column}</text>')
    base = top + 24 + HEIGHT
    for i, (name, of) in enumerate(rows):
        medians = [statistics.median(of[c]) for c in columns]
        highest = max(*medians, 1e-9)
        for k, median in enumerate(medians):
            h = HEIGHT * median / highest
            out.append(f'<rect x="{LEFT + i * step + k * BAR}" y="{base - h:.1f}" width="{BAR - 1}" '
                       f'height="{h:.1f}" fill="{COLOURS[k]}"/>')
        x = LEFT + i * step + BAR
        out.append(f'<text x="{x}" y="{base + 8}" transform="rotate(60 {x} {base + 8})">{name} '
                   f'({highest:.3g})</text>')
    return out, LEFT + len(rows) * step + 200


def svg(scenes):
    out, width, top = [], 0, 20
    for title, rows in scenes:
        drawn, w = bars(title, rows, top)
        out += drawn
        width = max(width, w)
        top += HEIGHT + 290
    head = (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{top}" '
            'font-family="sans-serif" font-size="9">')
    return "\n".join([head, f'<rect width="{width}" height="{top}" fill="#fff"/>', *out, "</svg>"])
