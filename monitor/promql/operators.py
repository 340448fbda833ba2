"""Operators: between scalars, between a vector and a scalar; for two vectors see `matching`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from monitor.model import Floats
from monitor.promql.matching import SET_OPERATIONS, Paired, pair_up
from monitor.promql.nodes import COMPARISONS, SETS, Binary
from monitor.promql.vector import Context, Scalar, Vector, without_name

COMPUTE: dict[str, Callable[[Floats, Floats], Floats]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "%": np.fmod,
    "^": np.power,
    "==": np.equal,
    "!=": np.not_equal,
    ">": np.greater,
    "<": np.less,
    ">=": np.greater_equal,
    "<=": np.less_equal,
}
OPERATORS = frozenset({*COMPUTE, *SETS})


def binary(context: Context, node: Binary, left: Vector | Scalar, right: Vector | Scalar) -> Vector | Scalar:
    """The value of an operator.  Raises QueryError where series do not match as demanded."""
    if isinstance(left, Vector):
        if isinstance(right, Vector):
            return between_vectors(context, node, left, right)
        return with_scalar(node, left, COMPUTE[node.operator](left.values, right))
    if isinstance(right, Vector):
        return with_scalar(node, right, COMPUTE[node.operator](left, right.values))
    return COMPUTE[node.operator](left, right).astype(np.float64)


def filters(node: Binary) -> bool:
    """Whether the operator lets series through, instead of giving them new values."""
    return node.operator in COMPARISONS and not node.returns_bool


def with_scalar(node: Binary, vector: Vector, computed: Floats) -> Vector:
    if filters(node):
        return Vector(vector.series, vector.values, vector.present & computed.astype(np.bool_))
    return without_name(Vector(vector.series, computed.astype(np.float64), vector.present))


def between_vectors(context: Context, node: Binary, left: Vector, right: Vector) -> Vector:
    if node.operator in SETS:
        return SET_OPERATIONS[node.operator](node, left, right)

    def compute(paired: Paired) -> Paired:
        computed = COMPUTE[node.operator](paired.left, paired.right)
        if filters(node):
            return paired._replace(present=paired.present & computed.astype(np.bool_))
        return paired._replace(left=computed.astype(np.float64))

    return pair_up(context, node, left, right, compute, keeps_name=filters(node))
