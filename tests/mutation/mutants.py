"""Every small change to a file that its tests should notice: cosmic-ray's, and two of our own."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import ndiff
from pathlib import Path
from typing import Any

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names
from parso.python.tree import Name

Position = tuple[int, int]

# Whether two equal texts are one object is the interpreter's affair, and no rule of ours.
SAME_THING = {frozenset(pair) for pair in (("Eq", "Is"), ("NotEq", "IsNot"))}


@dataclass(frozen=True)
class Mutant:
    """A file with one change: `place` is the function or class, `change` the line before and after."""

    file: str
    place: str
    change: str
    operator: str
    source: str

    @property
    def name(self) -> str:
        """What stands in the list of accepted ones."""
        return f"{self.place}: {self.change}"


class RemoveStatement:
    """A line of a function is left out: a rule isn't asked, a part of the state isn't changed."""

    def mutation_positions(self, node: Any) -> Iterator[tuple[Position, Position]]:
        """Each statement inside a function but its docstring."""
        statement = node.type == "simple_stmt" and node.children[0].type not in ("string", "strings")
        if statement and node.search_ancestor("funcdef") and node.get_code().strip() != "pass":
            yield node.start_pos, node.end_pos

    def mutate(self, node: Any, _index: int) -> Any:
        """The same place with nothing done."""
        return Name("pass\n", node.start_pos, prefix=node.get_first_leaf().prefix)


class TurnMembership:
    """`in` becomes `not in`, and the other way."""

    def mutation_positions(self, node: Any) -> Iterator[tuple[Position, Position]]:
        """Each test of membership."""
        if node.type == "comparison":
            for operator in node.children[1::2]:
                if operator.get_code().split() in (["in"], ["not", "in"]):
                    yield operator.start_pos, operator.end_pos

    def mutate(self, node: Any, index: int) -> Any:
        """The same comparison, turned round."""
        found = [n for n, c in enumerate(node.children) if c.get_code().split() in (["in"], ["not", "in"])]
        operator = node.children[found[index]]
        turned = " in" if operator.get_code().split() == ["not", "in"] else " not in"
        node.children[found[index]] = Name(turned, operator.start_pos)
        return node


def mutants_of(root: Path, file: str) -> list[Mutant]:
    """All mutants of one file that Python can read, each different from the others and from the original."""
    source = (root / file).read_text("utf-8")
    tree = ast.parse(source)
    notes = list(_annotations(tree))
    seen = {ast.dump(tree)}
    found = []
    for name, operator in _operators():
        nodes = ((n, at) for n in ast_nodes(get_ast(source)) for at, _ in operator.mutation_positions(n))
        for occurrence, (node, start) in enumerate(nodes):
            in_note = any(first <= start < last for first, last in notes)
            # The star that makes parameters be named isn't a multiplication.
            if in_note or (node.parent and node.parent.type == "parameters"):
                continue
            changed = mutate_code(source, operator, occurrence)
            try:
                dumped = ast.dump(ast.parse(changed))
            except SyntaxError:
                continue
            if dumped not in seen:
                seen.add(dumped)
                found.append(Mutant(file, _place(tree, start[0]), _change(source, changed), name, changed))
    return found


def _operators() -> Iterator[tuple[str, Any]]:
    for name in operator_names():
        short = name.split("/")[1]
        operator = get_operator(name)
        if not operator.arguments() and frozenset(short.split("_")[1:]) not in SAME_THING:
            yield short, operator()
    yield "RemoveStatement", RemoveStatement()
    yield "TurnMembership", TurnMembership()


def _annotations(tree: ast.AST) -> Iterator[tuple[Position, Position]]:
    """Where types stand. A change there stops the file from loading or does nothing: neither says much."""
    for node in ast.walk(tree):
        for part in (getattr(node, "annotation", None), getattr(node, "returns", None)):
            if isinstance(part, ast.expr) and part.end_lineno is not None and part.end_col_offset is not None:
                yield (part.lineno, part.col_offset), (part.end_lineno, part.end_col_offset)


def _place(tree: ast.Module, line: int) -> str:
    """The dotted name of what is defined around a line."""
    names = [
        (node.lineno, node.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef | ast.FunctionDef)
        and min([node.lineno, *(d.lineno for d in node.decorator_list)]) <= line <= (node.end_lineno or 0)
    ]
    return ".".join(name for _, name in sorted(names)) or "module"


def _change(before: str, after: str) -> str:
    lines = list(ndiff(before.splitlines(), after.splitlines()))
    gone = " ".join(line[2:].strip() for line in lines if line.startswith("- "))
    new = " ".join(line[2:].strip() for line in lines if line.startswith("+ "))
    return f"{gone.strip()} → {new.strip()}".strip()
