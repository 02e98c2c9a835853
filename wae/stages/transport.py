"""One figure of optimal transport and the numbers that it draws."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from wae import runtime
from wae.figures.style import save, styled
from wae.io import write_text

if TYPE_CHECKING:
    from wae.pipeline.stage import Job


def run(job: Job) -> None:
    """Write <figure>.csv by `numbers` and <figure>.png by `draw` of wae.transport.<figure>, on the CPU: sums are small.

    If a figure shows trained models, both functions get the paths of their files too.
    """
    name = job.scope["figure"]
    figure, options = import_module(f"wae.transport.{name}"), job.profile.params["figures"][name]
    purpose = ("transport", name, options["seed"])
    device = runtime.start("cpu", job.profile.params["compute"]["threads"], *purpose)
    files = [job.input_paths] if job.inputs else []
    table = figure.numbers(options, runtime.generator(device, *purpose), *files)
    write_text(job.output(f"{name}.csv"), table.to_csv(index=False, float_format="%.6g", lineterminator="\n"))
    with styled():
        save(figure.draw(table, *files), job.output(f"{name}.png"))
