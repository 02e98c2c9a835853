"""Takes changes of comments and layout as none: receipts get the new files, and nothing is made again."""

from __future__ import annotations

from wae.provenance.questions import plural
from wae.provenance.receipt import present, read, write
from wae.provenance.state import State


def accept(state: State) -> tuple[list[str], list[str]]:
    """Accept changes of comments and layout: a receipt gets the new md5 of code with the same syntax tree.

    Returns the addresses of the jobs with a rewritten receipt that are up to date now, and of those that would still
    run, because a job before them would.
    """
    taken = []
    for address, job in state.jobs.items():
        reasons = state.own(address)
        receipt = read(job.receipt)
        if receipt and reasons and all(difference.kind == "comment" for difference in reasons):
            write(job.receipt, receipt | {"code": present(job, state.hash_of)["code"]})
            taken.append(address)
    now = State(state.jobs.values(), state.hash_of)
    stale = [address for address in taken if now.why(address)]
    return [address for address in taken if address not in stale], stale


def accepted(again: list[str], stale: list[str]) -> str:
    """What `accept` did, in words."""
    said = []
    if again:
        said.append(f"{len(again)} {plural('job', len(again))} {'is' if len(again) == 1 else 'are'} up to date again")
    if stale:
        first = f"{stale[0]} is one" if len(stale) > 1 else stale[0]
        said.append(f"of {len(stale)} more the comments are taken, but a job before would run, so they would: {first}")
    return "; ".join(said) or "nothing to accept"
