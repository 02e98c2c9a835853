"""Which jobs are up to date: compares each job's receipt with the present; jobs after a stale job are stale too."""

from __future__ import annotations

from collections.abc import Iterable

from wae.pipeline.stage import Job
from wae.provenance.receipt import Difference, Hashes, differences


class State:
    """The jobs of a profile by address. Each job is checked only once, when its state is first needed."""

    def __init__(self, jobs: Iterable[Job], hash_of: Hashes) -> None:
        self.jobs = {job.address: job for job in jobs}
        self.hash_of = hash_of
        self._makes = {path: job.address for job in self.jobs.values() for path in job.outputs}
        self._own: dict[str, tuple[Difference, ...]] = {}
        self._why: dict[str, tuple[str, ...]] = {}

    def own(self, address: str) -> tuple[Difference, ...]:
        """Why a job is not up to date, without earlier jobs: how its receipt differs from the present."""
        if address not in self._own:
            self._own[address] = tuple(differences(self.jobs[address], self.hash_of))
        return self._own[address]

    def why(self, address: str) -> tuple[str, ...]:
        """Why a job would run: its own reasons, and earlier jobs that would run; empty if it is up to date."""
        if address not in self._why:
            before = [name for name in self.before(address) if self.why(name)]
            own = [difference.words for difference in self.own(address)]
            self._why[address] = (*own, *(f"{name} would run" for name in before))
        return self._why[address]

    def changes(self, path: str) -> bool:
        """Whether a file is made by a job that would run."""
        return path in self._makes and bool(self.why(self._makes[path]))

    def before(self, address: str) -> list[str]:
        """The jobs that make a job's inputs."""
        made = (self._makes.get(path) for path in self.jobs[address].inputs)
        return list(dict.fromkeys(name for name in made if name))

    def maker(self, path: str) -> str | None:
        """The job that makes a file, or whose receipt it is."""
        receipts = (address for address, job in self.jobs.items() if job.receipt == path)
        return self._makes.get(path) or next(receipts, None)

    def stale(self) -> list[str]:
        """The addresses of all jobs that would run."""
        return [address for address in self.jobs if self.why(address)]
