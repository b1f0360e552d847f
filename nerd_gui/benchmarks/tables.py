"""Formats the measurements of `suite.measure` as tables."""

from collections.abc import Iterator

from nerd_gui.benchmarks.clock import Measured

Table = list[list[str]]

_BUSY = 0.1  # fraction of the CPU that other programs may use without a warning


def header(report: Measured) -> list[str]:
    """The lines about the machine and settings that the figures depend on."""
    machine, picture = report["machine"], report["picture"]
    random = sorted({run["model"] for run in report["runs"] if run["weights"] == "random"})
    lines = [
        *header_of_machine(machine),
        f"Picture “{picture['sample']}”, sigma {picture['sigma']:g}. Times are medians; the competitors took turns.",
    ]
    if random:
        lines.append(f"Measured with random weights, because no trained ones are installed: {', '.join(random)}.")
    return lines


def header_of_machine(machine: Measured) -> list[str]:
    """Format the result of `machine.describe` as lines."""
    return [
        f"NERD GUI {machine['program']} on {machine['device']}: {machine['device_name']}",
        f"{machine['processor']} ({machine['instructions']}), {machine['threads']} of {machine['cores']} threads, "
        f"torch {machine['torch']}, Python {machine['python']}",
    ]


def tables(report: Measured) -> Iterator[tuple[str, Table]]:
    """All tables with their titles, header first."""
    yield (
        "The machine's limits: convolutions d -> 4d -> d, and matrix products (GFLOP/s)",
        _ceilings(report),
    )
    yield "Attention, compared with PyTorch's own", _attention(report)
    yield "One evaluation of f, and the time of its useful operations at the rate of conv2d", _f(report)
    if any("plain_path" in run for run in report["runs"]):
        yield "An iterate with compiled code, and on the plain path without it", _paths(report)
    yield "A solve with all its steps", _solve(report)
    yield (
        "The solver without f, compared with torchdeq's (with recorded values of f), and the peak memory of a solve",
        _algebra(report),
    )
    yield "The time from a click to the attention maps, and non-local means (scikit-image, one thread)", _others(report)


def notes(report: Measured) -> list[str]:
    """Sentences about missing or unreliable figures."""
    busy = report["machine"]["busy"]
    disturbed = f"Other programs used {busy:.0%} of the processor at the start; without them, all times are shorter."
    missing = {note for run in report["runs"] for note in run["solve"]["missing"]}
    return [disturbed] * (busy > _BUSY) + sorted(missing)


def _name(run: Measured) -> list[str]:
    return [_short(run), str(run["size"])]


def _short(run: Measured) -> str:
    name = run["model"].replace("\\", "/").rsplit("/", 1)[-1].removesuffix(".safetensors")
    return name if run["weights"] == "trained" else f"{name} (random)"


def _ceilings(report: Measured) -> Table:
    table = [["network", "px", "operation", "precision", "GFLOP/s", "ms"]]
    for run in report["runs"]:
        for row in run["ceilings"]:
            rate = f"{row['flops_per_second'] / 1e9:.0f}"
            table.append([*_name(run), row["operation"], row["precision"], rate, _ms(row["seconds"])])
    return table


def _attention(report: Measured) -> Table:
    table = [["network", "px", "window", "path", "precision", "ms", "times faster", "max error", "relative"]]
    for run in report["runs"]:
        for row in run["attention"]:
            errors = ["-", "-"] if row["baseline"] else [f"{row[key]:.1e}" for key in ("max_error", "relative_error")]
            figures = [_ms(row["seconds"]), f"{row['times_faster']:.2f}", *errors]
            table.append([*_name(run), str(run["window"]), row["path"], row["precision"], *figures])
    return table


def _f(report: Measured) -> Table:
    columns = ["ms", "non-local", "transformation", "GFLOP", "at conv2d's rate", "ratio", "us/pixel"]
    table = [["network", "px", "precision", *columns]]
    for run in report["runs"]:
        for row in run["f"]:
            parts = [_ms(row.get(key)) for key in ("non_local_seconds", "transformation_seconds")]
            flops = f"{sum(row['flops'].values()) / 1e9:.1f}"
            ratio = [_ms(row["seconds_at_conv2d_rate"]), f"{row['times_conv2d_rate']:.2f}"]
            pixel = f"{row['seconds_per_pixel'] * 1e6:.2f}"
            table.append([*_name(run), row["precision"], _ms(row["seconds"]), *parts, flops, *ratio, pixel])
    return table


def _paths(report: Measured) -> Table:
    table = [["network", "px", "precision", "compiled ms", "plain ms", "times slower"]]
    for run in report["runs"]:
        row = run["plain_path"]
        times = [_ms(row["paths"].get(path, {}).get("seconds")) for path in ("compiled", "plain")]
        table.append([*_name(run), row["precision"], *times, _number(row["times_slower"], ".2f")])
    return table


def _solve(report: Measured) -> Table:
    columns = ["steps", "s", "iterates/s", "1st iterate ms", "one f ms", "times all f", "solver ms", "PSNR"]
    table = [["network", "px", "precision", *columns]]
    for run in report["runs"]:
        row = run["solve"]
        table.append(
            [
                *_name(run),
                row["precision"],
                str(len(row["evaluations"]) - 1),
                f"{row['seconds']:.2f}",
                f"{row['iterates_per_second']:.2f}",
                _ms(row["first_iterate_seconds"]),
                _ms(row["f_seconds"]),
                f"{row['times_f']:.3f}",
                _ms(row["own_seconds"]),
                _number(row["psnr"], ".2f"),
            ]
        )
    return table


def _algebra(report: Measured) -> Table:
    columns = ["ms", "torchdeq ms", "times faster", "peak MB", "torchdeq MB", "part of that"]
    table = [["network", "px", *columns]]
    for run in report["runs"]:
        row = run["solve"]
        times = [_ms(row["algebra"].get(solver, {}).get("seconds")) for solver in ("here", "torchdeq")]
        peaks = [_number(row["peak_memory_mb"].get(solver), ".0f") for solver in ("here", "torchdeq")]
        faster, part = _number(row["algebra_ratio"], ".2f"), _number(row["memory_ratio"], ".0%")
        table.append([*_name(run), *times, faster, *peaks, part])
    return table


def _others(report: Measured) -> Table:
    table = [["what", "px", "ms", "PSNR"]]
    for run in report["runs"]:
        if "click" in run:
            table.append([f"click, {_short(run)}", str(run["size"]), _ms(run["click"]["seconds"]), "-"])
    for row in report["non_local_means"]:
        table.append(["non-local means", str(row["size"]), _ms(row["seconds"]), _number(row["psnr"], ".2f")])
    return table


def _ms(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds * 1e3:.{1 if seconds < 0.1 else 0}f}"


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)
