"""Takes changes of comments and layout as none: the syntax trees are equal, so the outputs are the same."""

from __future__ import annotations

from collections.abc import Iterable

from wae.provenance.lock import record
from wae.provenance.questions import plural
from wae.provenance.receipt import present, read, write
from wae.provenance.state import State


def accepted(of: Iterable[State]) -> str:
    """Accept what can be accepted in all these states, let DVC record it, and say what that changed."""
    taken, again = 0, 0
    for before in of:
        addresses = accept(before)
        now = State(before.jobs.values(), before.hash_of)
        taken, again = taken + len(addresses), again + sum(not now.why(address) for address in addresses)
        record(now)
    if not taken:
        return "nothing to accept"
    still = taken - again
    rest = f"; {still} {plural('job', still)} took it and would run for other reasons" if still else ""
    return f"{again} {plural('job', again)} {'is' if again == 1 else 'are'} up to date again{rest}"


def accept(state: State) -> list[str]:
    """Accept changes of comments and layout: a receipt gets the new md5 of code with the same syntax tree.

    Returns the addresses of the jobs with a rewritten receipt.
    """
    taken = []
    for address, job in state.jobs.items():
        reasons = state.own(address)
        receipt = read(job.receipt)
        if receipt and reasons and all(difference.kind == "comment" for difference in reasons):
            write(job.receipt, receipt | {"code": present(job, state.hash_of)["code"]})
            taken.append(address)
    return taken
