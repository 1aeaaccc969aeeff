#!/usr/bin/env python3
"""Turns what a command printed into the SVG picture of a terminal.

Run:  COMMAND | tools/terminal_picture.py "./dev demo" > docs/images/demo.svg
"""

import html
import re
import sys

COLUMNS, LINE, LEFT, TOP, WIDTH = 118, 18, 18, 52, 8.43
COLOURS = {"1": "#ffffff", "2": "#8b949e", "31": "#ff7b72", "32": "#7ee787", "33": "#e3b341", "36": "#79c0ff"}


def spans(line):
    """Yields (colour, text) of one line with ANSI colours."""
    colour = "#c9d1d9"
    for part in re.split(r"(\x1b\[[0-9;]*m)", line):
        code = re.fullmatch(r"\x1b\[([0-9;]*)m", part)
        if code:
            colour = COLOURS.get(code[1], "#c9d1d9")
        elif part:
            yield colour, part


def plain_colour(line):
    if line.startswith("==>"):
        return "#79c0ff"
    if line.startswith("$ "):
        return "#ffffff"
    return None


def main():
    lines = [f"$ {sys.argv[1]}"] + [line.rstrip("\n")[: COLUMNS + 40] for line in sys.stdin]
    height = TOP + LINE * len(lines) + 14
    width = round(LEFT * 2 + COLUMNS * WIDTH)
    print(f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">')
    print(f'<rect width="{width}" height="{height}" rx="10" fill="#0d1117"/>')
    for i, colour in enumerate(("#ff5f57", "#febc2e", "#28c840")):
        print(f'<circle cx="{24 + i * 22}" cy="22" r="6.5" fill="{colour}"/>')
    print('<g font-family="ui-monospace, Menlo, Consolas, monospace" font-size="14" style="white-space: pre">')
    for row, line in enumerate(lines):
        text = "".join(
            f'<tspan fill="{plain_colour(line) or colour}">{html.escape(part)}</tspan>' for colour, part in spans(line)
        )
        print(f'<text x="{LEFT}" y="{TOP + row * LINE}">{text}</text>')
    print("</g></svg>")


if __name__ == "__main__":
    main()
