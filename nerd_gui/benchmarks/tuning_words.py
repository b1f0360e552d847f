"""Formats the results of `nerd-gui tune` as lines of text."""

from collections.abc import Sequence

from nerd_gui.benchmarks.device_checks import Row
from nerd_gui.benchmarks.tuning import agrees


def line(row: Row, rows: Sequence[Row]) -> str:
    """Format a result as one line."""
    peak = next((r["flops_per_second"] for r in rows if r.get("what") == "matrix product bfloat16"), None)
    kind = row.get("kind")
    if kind == "step":
        what = f"{row['attention']}, {row['mode']}: {row['batch']} of {row['patch']}x{row['patch']}, "
        what += f"{row['solver_steps']} steps, T = {row['unroll']}"
        if "failed" in row:
            return f"{what}: failed ({row['failed']})"
        alike = "" if agrees(row, [r for r in rows if r.get("kind") == "step" and "failed" not in r]) else ", NOT ALIKE"
        return (
            f"{what}: {row['samples_per_second']:.0f} samples/s, {_rate(row, peak)}, {_memory(row)}, "
            f"first step {row['first_seconds']:.0f} s{alike}"
        )
    if kind == "solve":
        what = f"solve {row['size']}x{row['size']}, {row['steps']} steps, {row['precision']}, {row['mode']}"
        if "failed" in row:
            return f"{what}: failed ({row['failed']})"
        return f"{what}: {row['seconds']:.3f} s (f {1e3 * row['f_seconds']:.1f} ms), {_rate(row, peak)}, {_memory(row)}"
    if kind == "check":
        verdict = "passed" if row["passed"] else "FAILED"
        found = row.get("failed") or f"{row['error']:.1e} (at most {row['tolerance']:.0e})"
        return f"{verdict}: {row['what']}, {row['precision']}: {found}"
    if kind == "rate":
        if "flops_per_second" in row:
            return f"{row['what']}: {row['flops_per_second'] / 1e12:.2f} TFLOP/s"
        return f"{row['what']}: {row['bytes_per_second'] / 1e12:.2f} TB/s"
    if kind == "device":
        return f"{row['device']}: {row['name']}, torch {row['torch']}, Python {row['python']}"
    if kind == "profile":
        head = f"profile of stage {row['stage']}, batch {row['batch']}: {row['seconds']:.3f} s, "
        head += f"{row['busy_seconds']:.3f} s in kernels"
        return "\n".join([head, *(f"  {took:.4f} s {count:5d} x {name}" for name, count, took in row["kernels"])])
    return f"{', '.join(str(value) for key, value in row.items() if key != 'failed')}: failed ({row['failed']})"


def _rate(row: Row, peak: float | None) -> str:
    rate = f"{row['flops_per_second'] / 1e12:.2f} TFLOP/s"
    return rate if peak is None else f"{rate} ({row['flops_per_second'] / peak:.0%} of bfloat16's peak)"


def _memory(row: Row) -> str:
    return "memory not known" if row["peak_memory_gb"] is None else f"{row['peak_memory_gb']:.1f} GB"
