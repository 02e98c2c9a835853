"""On a terminal of any width: the bar, the time left, and every term."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from wae.progress import Progress

ROW = {
    "epoch": 3.0, "latent_critic.prior": 6.155, "latent_critic.codes": 7.395, "autoencoder.reconstruction": 5.375,
    "autoencoder.penalty": 6.804, "latent_critic.lr": 0.0005, "autoencoder.lr": 0.001,
}  # fmt: skip


@pytest.mark.parametrize("width", [70, 80, 100, 160, 240])
def test_the_bar_and_the_time_left_have_room(width: int) -> None:
    console = Console(file=io.StringIO(), width=width, height=20, force_terminal=True, highlight=False)
    with Progress("celeba-15k/acai-wae-gan/1", console) as progress:
        progress.step(0, 600)
        progress.step(300, 600)
        progress.epoch(ROW, 10)
        progress._bar.refresh()
        drawn = "\n".join(console.render_str(line).plain for line in _last(console))
    assert re.search(
        r"celeba-15k/acai-wae-gan/1 +epoch 3/10 ━+.* 300/600 \d:\d\d:\d\d (\d|-):(\d\d|--):(\d\d|--)", drawn
    )
    for name, value in list(ROW.items())[1:]:
        assert f"{name} {value:.4g}" in " ".join(drawn.split())


def _last(console: Console) -> list[str]:
    """What the terminal shows after the last refresh, without colours."""
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "\x1b", console.file.getvalue())
    return re.split(r"\r\x1b+", text)[-1].replace("\x1b", "").splitlines()
