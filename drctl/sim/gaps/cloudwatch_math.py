"""The part of CloudWatch's metric math that an environment's alarms and dashboards need.

Arithmetic and comparisons of series and numbers, IF, FILL, SUM, AVG, MIN, MAX. Source: user guide, "Using math
expressions with CloudWatch metrics". Anything else (SEARCH, SELECT, anomaly detection) is refused as unknown.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable

from drctl.sim.call import Refused

Series = dict[float, float]
Value = Series | float

BINARY: dict[type[ast.AST], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: lambda left, right: left / right,
    ast.Pow: operator.pow,
    ast.Gt: lambda left, right: float(left > right),
    ast.GtE: lambda left, right: float(left >= right),
    ast.Lt: lambda left, right: float(left < right),
    ast.LtE: lambda left, right: float(left <= right),
    ast.Eq: lambda left, right: float(left == right),
    ast.NotEq: lambda left, right: float(left != right),
}


def names(expression: str) -> set[str]:
    """The ids that an expression refers to."""
    return {node.id for node in ast.walk(parse(expression)) if isinstance(node, ast.Name)}


def evaluate(expression: str, known: dict[str, Series]) -> Series:
    """The series of an expression; points exist where every series in it has one."""
    result = value(parse(expression).body, known)
    return result if isinstance(result, dict) else {at: result for one in known.values() for at in one}


def parse(expression: str) -> ast.Expression:
    try:
        return ast.parse(expression.strip(), mode="eval")
    except SyntaxError:
        raise wrong(expression) from None


def value(node: ast.expr, known: dict[str, Series]) -> Value:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return float(node.value)
    if isinstance(node, ast.Name) and node.id in known:
        return known[node.id]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return combine(operator.mul, value(node.operand, known), -1.0)
    if isinstance(node, ast.BinOp) and type(node.op) in BINARY:
        return combine(BINARY[type(node.op)], value(node.left, known), value(node.right, known))
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        return combine(BINARY[type(node.ops[0])], value(node.left, known), value(node.comparators[0], known))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return call(node.func.id.upper(), node.args, known)
    raise wrong(ast.unparse(node))


def combine(function: Callable[[float, float], float], left: Value, right: Value) -> Value:
    if not isinstance(left, dict) and not isinstance(right, dict):
        return function(left, right)
    points = set(left) if isinstance(left, dict) else None
    if isinstance(right, dict):
        points = set(right) if points is None else points & set(right)
    result = {}
    for at in sorted(points or ()):
        try:
            result[at] = function(at_point(left, at), at_point(right, at))
        except ZeroDivisionError:
            continue  # no data point: user guide, "Division by zero"
    return result


def at_point(one: Value, at: float) -> float:
    return one.get(at, 0.0) if isinstance(one, dict) else one


def call(name: str, arguments: list[ast.expr], known: dict[str, Series]) -> Value:
    if name in ("SUM", "AVG", "MIN", "MAX"):
        members = arguments[0].elts if isinstance(arguments[0], ast.List) else arguments
        return fold(name, [value(one, known) for one in members])
    given = [value(one, known) for one in arguments]
    if name == "IF" and len(given) in (2, 3):
        return choose(*given)
    if name == "FILL" and len(given) == 2 and isinstance(given[0], dict):
        every = {at for one in known.values() for at in one}
        return {at: given[0].get(at, at_point(given[1], at)) for at in sorted(every)}
    raise wrong(name)


def choose(condition: Value, then: Value, otherwise: Value | None = None) -> Value:
    if not isinstance(condition, dict):
        chosen = then if condition else otherwise
        return {} if chosen is None else chosen
    result: Series = {}
    for at, held in condition.items():
        chosen = then if held else otherwise
        if isinstance(chosen, dict) and at in chosen:
            result[at] = chosen[at]
        elif isinstance(chosen, float):
            result[at] = chosen
    return result


def fold(name: str, members: list[Value]) -> Value:
    """Of one series: a number over time. Of several: a series over them, point by point."""
    if len(members) == 1 and isinstance(members[0], dict):
        return reduce(name, list(members[0].values()))
    points = sorted({at for one in members if isinstance(one, dict) for at in one})
    return {
        at: reduce(name, [at_point(one, at) for one in members if not isinstance(one, dict) or at in one])
        for at in points
    }


def reduce(name: str, values: list[float]) -> float:
    if not values:
        return 0.0
    if name == "MIN":
        return min(values)
    if name == "MAX":
        return max(values)
    return sum(values) / (len(values) if name == "AVG" else 1)


def wrong(what: str) -> Refused:
    return Refused(
        "ValidationError", f"Error in expression '{what}': not supported by the simulator's metric math"
    )
