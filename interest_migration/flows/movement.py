"""Movement between two baskets as a flow that keeps sums: what can stay stays, the rest moves.

A basket is a user's interest, spread evenly over its categories. Between two such spreads p and q, each category keeps
min(p, q), and what is too much in some goes to where it is missing, in proportion: the coupling that moves least
(maximal coupling; Lindvall 2002, Lectures on the Coupling Method, ch. I.5). Summed over users it has the spreads as
margins.

    {milk, bread} then {milk, tea}   p = 1/2, 1/2, 0   q = 1/2, 0, 1/2   ->   milk stays 1/2, bread > tea 1/2
    {milk} then {milk, tea}          p = 1, 0          q = 1/2, 1/2      ->   milk stays 1/2, milk > tea 1/2
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Movement:
    """N moves between K places, all `[N, K]` sparse.

    Attributes:
      stays: Mass that stays.
      leaves: Mass that goes away, by where it comes from.
      arrives: The same mass, by where it goes to.
    """

    stays: sparse.csr_matrix
    leaves: sparse.csr_matrix
    arrives: sparse.csr_matrix


def spread_evenly(baskets: sparse.csr_matrix) -> sparse.csr_matrix:
    """Divides each row of `[N, K]` by its sum; a last column takes rows without anything.

    Example:
      [[1, 1], [0, 0]] -> [[1/2, 1/2, 0], [0, 0, 1]].
    """
    empty = sparse.csr_matrix((np.asarray(baskets.sum(axis=1)) == 0).astype(np.float64))
    whole = sparse.hstack([baskets, empty], format="csr")
    return (sparse.diags(1 / np.asarray(whole.sum(axis=1)).ravel()) @ whole).tocsr()


def move_least(before: sparse.csr_matrix, after: sparse.csr_matrix) -> Movement:
    """Splits two spreads `[N, K]`, whose rows sum to 1, into what stays, leaves and arrives."""
    stays = before.minimum(after).tocsr()
    return Movement(stays, (before - stays).tocsr(), (after - stays).tocsr())


def pool(movement: Movement, groups: npt.NDArray[np.int64], count: int) -> Movement:
    """Joins places: column k becomes column `groups[k]` of `count`. What moves inside a group stays."""
    joined = sparse.csr_matrix((np.ones(len(groups)), (np.arange(len(groups)), groups)), shape=(len(groups), count))
    leaves, arrives = movement.leaves @ joined, movement.arrives @ joined
    return Movement((movement.stays @ joined).tocsr(), leaves.tocsr(), arrives.tocsr())


def sum_flows(movement: Movement, members: sparse.csr_matrix) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Sums flows over observations.

    Args:
      movement: N moves between K places.
      members: `[N, U]`, the user of each observation.

    Returns:
      `[K, K]` mass from each place (row) to each (column), and how many different users are behind each.
    """
    size = movement.stays.shape[1]
    mass, users = np.zeros((size, size)), np.zeros((size, size), np.int64)
    left = np.asarray(movement.leaves.sum(axis=1)).ravel()
    share = np.divide(1.0, left, out=np.zeros_like(left), where=left > 1e-12)
    for place in range(size):
        gone = np.asarray(movement.leaves[:, [place]].todense()).ravel() * share
        moved = sparse.diags(gone) @ movement.arrives
        staying = movement.stays[:, [place]]
        own = sparse.csr_matrix(
            (staying.data, (staying.nonzero()[0], np.full(staying.nnz, place))), shape=movement.stays.shape
        )
        by_user = members.T @ (moved + own)
        mass[place] = np.asarray(by_user.sum(axis=0)).ravel()
        users[place] = np.asarray((by_user > 1e-12).sum(axis=0)).ravel()
    return mass, users
