"""Kantorovich's problem between two samples, solved exactly."""

from __future__ import annotations

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment, linprog
from scipy.sparse import eye_array, kron, vstack
from torch import Tensor


def exact_plan(x: Tensor, y: Tensor, p: float = 2) -> tuple[Tensor, float]:
    """The cheapest plan (n, m) between equally weighted points (n, d) and (m, d), cost |x - y|^p, and W_p^p.

    With n = m, some cheapest plan is a permutation divided by n (Birkhoff and von Neumann), found by assignment.
    Otherwise HiGHS solves the linear programme with n * m unknowns. Float64; memory: n * m numbers.
    """
    n, m = len(x), len(y)
    costs = torch.cdist(x.double(), y.double(), compute_mode="donot_use_mm_for_euclid_dist").pow(p).numpy()
    if n == m:
        plan = np.zeros((n, m))
        plan[linear_sum_assignment(costs)] = 1 / n
    else:
        plan = _programme(costs)
    return torch.from_numpy(plan), float((plan * costs).sum())


def _programme(costs: np.ndarray) -> np.ndarray:
    """The plan of least <plan, costs>, row sums 1/n and column sums 1/m: a vertex, with at most n + m - 1 masses."""
    n, m = costs.shape
    sums = vstack([kron(eye_array(n), np.ones((1, m))), kron(np.ones((1, n)), eye_array(m))], format="csr")
    solved = linprog(costs.ravel(), A_eq=sums, b_eq=[1 / n] * n + [1 / m] * m, method="highs-ds")
    if not solved.success:
        raise RuntimeError(f"the linear programme of {n} x {m} points was not solved: {solved.message}")
    plan: np.ndarray = solved.x.reshape(n, m)
    return plan
