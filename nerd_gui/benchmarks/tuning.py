"""`nerd-gui tune`: checks a device, times several ways of computing a training step, and chooses the fastest.

It needs only PyTorch, numpy, Pillow and safetensors. Each job runs in a separate process with a time limit, so that a
job that fails, hangs or runs out of memory does not affect others.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from time import monotonic
from typing import Any

from nerd_gui.benchmarks.device_checks import Row
from nerd_gui.benchmarks.device_jobs import stages_of
from nerd_gui.benchmarks.device_process import results
from nerd_gui.training import Execution, Recipe

#: Two ways of computing a step agree if the relative differences of their first loss and gradient norm are at most
#: this.
_ALIKE = {"mse": 0.05, "gradient_norm": 0.25}
#: Among the batch sizes whose speed is within this fraction of the best, the smallest is chosen, because it learns most
#: from each sample.
_NEARLY = 0.9


@dataclass(frozen=True)
class TuningRequest:
    """The request: what to measure on a device.

    Attributes
    ----------
    device, recipe : str
        `recipe` is a name or a file.
    seconds : float
        The time budget.
    factors : sequence of float
        Factors for the batch size of the first stage to try.
    sizes : sequence of int
        Sides in pixels of the pictures for timing solves.
    turn : float
        Seconds for measuring each case.
    """

    device: str
    recipe: str = "nerd"
    seconds: float = 520.0
    factors: Sequence[float] = (1.0, 2.0, 0.5, 0.25, 0.125)
    sizes: Sequence[int] = (256, 1024)
    turn: float = 1.5
    began: float = field(default_factory=monotonic)

    @property
    def left(self) -> float:
        """Seconds left of the budget; negative when it is used up."""
        return self.began + self.seconds - monotonic()


def ways(device: str) -> list[tuple[str, str]]:
    """The pairs of attention path and mode of evaluating f to try; the first, simplest one is the reference."""
    if device == "cpu":
        return [("compiled", "eager"), ("blocks", "eager"), ("dense", "eager")]
    return [
        ("dense", "eager"),
        ("dense", "compile"),
        ("dense", "graphs"),
        ("flex", "compile"),
        ("flex", "eager"),
        ("blocks", "eager"),
    ]


def tune(
    request: TuningRequest, recipe: Recipe, watch: Callable[[Row], None], save: Callable[[dict[str, Any]], None]
) -> Row:
    """Take all measurements that fit into the time budget of the request.

    Parameters
    ----------
    recipe : Recipe
        The recipe that the request names.
    watch : callable
        Called with every result: a row with its "kind"; if there is no result, with the reason under "failed".
    save : callable
        Called with the whole JSON-ready report after every job, so that nothing is lost if the process is ended.

    Returns
    -------
    dict
        "plan", "results" (all rows), and "speed", the chosen `Execution`, or None if no way was measured.
    """
    rows: list[Row] = []
    report: dict[str, Any] = {"plan": asdict(request), "recipe": recipe.to_json(), "results": rows, "speed": None}

    def run(name: str, limit: float, idle: float, **arguments: Any) -> None:
        label: Row = {"job": name} | {key: arguments[key] for key in ("attention", "mode") if key in arguments}
        task = {"name": name, "device": request.device, **arguments}
        for row in results(task, min(limit, request.left), min(idle, request.left)):
            rows.append(label | row if "kind" not in row else row)
            watch(rows[-1])
        choice = choose(rows, recipe)
        report["speed"] = None if choice is None else choice.to_json()
        save(report)

    run("rates", 60, 60)
    run("checks", 150, 90)
    for attention, mode in ways(request.device):
        # Reserve time for the jobs that follow.
        share = request.left - min(100.0, 0.2 * request.seconds)
        if share > 15:
            cases = _cases(recipe, mode, request.factors)
            how = {"attention": attention, "mode": mode, "cases": cases}
            run("steps", min(share, 150), 75, recipe=request.recipe, seconds=request.turn, **how)
    run("solves", 60, 40, config=asdict(recipe.model), sizes=list(request.sizes))
    if report["speed"] is not None and request.left > 20:
        stages = [[index, stage.batch] for index, stage in enumerate(recipe.stages)]
        run("profile", request.left, 60, recipe=request.recipe, execution=report["speed"], cases=stages)
    return report


def _cases(recipe: Recipe, mode: str, factors: Sequence[float]) -> list[list[int]]:
    """The cases (stage, batch): every stage with the recipe's batch size, then the first stage with others.

    Compiled modes get fewer of the latter, because compiling takes long.
    """
    stages = stages_of(recipe)
    cases = [[index, stage.batch] for index, stage in enumerate(stages)]
    if mode == "graphs":  # a stage without a solver has nothing to replay
        return [case for case in cases if stages[case[0]].solver_steps]
    others = [factor for factor in factors if factor != 1][: None if mode == "eager" else 2]
    return cases + [[0, max(1, round(factor * stages[0].batch))] for factor in others]


def choose(rows: Sequence[Row], recipe: Recipe) -> Execution | None:
    """Choose the way with the least time per sample over all stages; None if no way has measured all of them.

    Ways that failed a check, or whose first step differs from that of the reference, are excluded.
    """
    failed = {row["path"] for row in rows if row.get("kind") == "check" and not row["passed"] and "path" in row}
    steps = [row for row in rows if row.get("kind") == "step" and "failed" not in row]
    sound = [row for row in steps if row["attention"] not in failed and agrees(row, steps)]
    stages = stages_of(recipe)
    times: dict[tuple[str, str], dict[int, float]] = {}
    for row in sound:
        if row["batch"] == stages[row["stage"]].batch:
            times.setdefault((row["attention"], row["mode"]), {})[row["stage"]] = 1 / row["samples_per_second"]
    for (attention, mode), own in times.items():
        if mode == "graphs":  # in a stage without a solver, f is only compiled
            own.update(
                {stage: time for stage, time in times.get((attention, "compile"), {}).items() if stage not in own}
            )
    complete = {way: sum(own.values()) for way, own in times.items() if len(own) == len(stages)}
    if not complete:
        return None
    attention, mode = min(complete, key=lambda way: complete[way])
    measured_as = "compile" if mode == "graphs" else mode
    rates = {
        row["batch"]: row["samples_per_second"]
        for row in sound
        if (row["attention"], row["mode"], row["stage"]) == (attention, measured_as, 0)
    }
    if mode == "graphs" and not rates:
        return Execution(attention, mode)  # type: ignore[arg-type]
    batch = min(batch for batch, rate in rates.items() if rate >= _NEARLY * max(rates.values()))
    return Execution(attention, mode, batch / stages[0].batch)  # type: ignore[arg-type]


def agrees(row: Row, steps: Sequence[Row]) -> bool:
    """Whether the first step agrees with that of the first way measured for the same stage and batch size."""
    first = next(one for one in steps if (one["stage"], one["batch"]) == (row["stage"], row["batch"]))
    return all(abs(row[name] - first[name]) <= part * abs(first[name]) for name, part in _ALIKE.items())
