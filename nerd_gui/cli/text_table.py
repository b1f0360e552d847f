"""Formats tables for the terminal."""

from collections.abc import Sequence


def as_text(table: Sequence[Sequence[str]]) -> str:
    """Format a table in columns: text is aligned to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = []
    for row in table:
        cells = zip(row, widths, strict=True)
        lines.append("  ".join(f"{cell:{'>' if i else '<'}{width}}" for i, (cell, width) in enumerate(cells)))
    return "\n".join(lines)
