"""Mutants: one module of the core, with one thing in it broken."""

import ast
import difflib
import hashlib
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator

__all__ = ["Mutant", "fingerprint", "mutants_of"]

# Of cosmic-ray's operators, each operator of Python becomes what is nearest to it. What is left
# out, a multiplication become a shift of bits say, fails at the first call, and flatters.
INTO = {
    "BinaryOperator": {
        "Add": ["Sub"],
        "Sub": ["Add"],
        "Mul": ["Add", "Div"],
        "Div": ["Mul", "FloorDiv"],
        "FloorDiv": ["Mul", "Div"],
        "Mod": ["Mul", "FloorDiv"],
        "Pow": ["Mul", "Div"],
    },
    "ComparisonOperator": {
        "Lt": ["LtE", "GtE"],
        "LtE": ["Lt", "Gt"],
        "Gt": ["GtE", "LtE"],
        "GtE": ["Gt", "Lt"],
        "Eq": ["NotEq"],
        "NotEq": ["Eq"],
        "Is": ["IsNot"],
        "IsNot": ["Is"],
    },
}
OPERATORS = [
    *(
        f"Replace{kind}_{operator}_{other}"
        for kind, table in INTO.items()
        for operator, others in table.items()
        for other in others
    ),
    *("ReplaceUnaryOperator_Delete_USub", "ReplaceUnaryOperator_Delete_Not"),
    *("ReplaceTrueWithFalse", "ReplaceFalseWithTrue", "ReplaceAndWithOr", "ReplaceOrWithAnd"),
    *("AddNot", "NumberReplacer", "RemoveDecorator", "ExceptionReplacer"),
    *("ZeroIterationForLoop", "ReplaceBreakWithContinue", "ReplaceContinueWithBreak"),
]

# What is there for a type checker alone does nothing that a test could see.
FOR_TYPES = ("if TYPE_CHECKING:", "@overload")


@dataclass(frozen=True)
class Mutant:
    """What *operator* makes of its *occurrence*-th place: on this *line*, what *was* now *is*."""

    operator: str
    occurrence: int
    line: int
    was: str
    now: str
    source: str


def fingerprint(path: Path) -> str:
    """Return what tells one version of the module from another."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16] if path.exists() else ""


def mutants_of(path: Path) -> Iterator[Mutant]:
    """Yield all mutants of the module, from its first line to its last."""
    source = path.read_text()
    same = ast.dump(ast.parse(source))
    found = []
    for name in OPERATORS:
        operator = get_operator(f"core/{name}")()
        places = sum(len(list(operator.mutation_positions(n))) for n in ast_nodes(get_ast(source)))
        for occurrence in range(places):
            mutated = mutate_code(source, operator, occurrence)
            if mutated is not None and _dumped(mutated) not in (same, None):
                found.append(Mutant(name, occurrence, *_change(source, mutated), mutated))
    yield from sorted(
        (mutant for mutant in found if not mutant.was.startswith(FOR_TYPES)),
        key=lambda mutant: mutant.line,
    )


def _dumped(source: str) -> str | None:
    """Return the syntax tree as text, or None where there is none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.dump(ast.parse(source))
    except SyntaxError:
        return None


def _change(source: str, mutated: str) -> tuple[int, str, str]:
    """Return the line of the only change, and that line before and after."""
    before, after = source.splitlines(), mutated.splitlines()
    for tag, i, j, k, m in difflib.SequenceMatcher(None, before, after, False).get_opcodes():
        if tag != "equal":
            return i + 1, "\n".join(before[i:j]).strip(), "\n".join(after[k:m]).strip()
    raise ValueError("nothing has changed")
