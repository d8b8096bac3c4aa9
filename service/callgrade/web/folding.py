"""Words that stand in a template as they are said, put there when the template is compiled instead of at every request.

A page says some two hundred fixed words, and each environment knows one language: a look into the catalogue, a
formatting and an escaping apiece came to a sixth of what a review page takes.
"""

import re
from collections.abc import Callable, Mapping, MutableMapping
from types import CodeType
from typing import Any

from jinja2 import Environment, Template, nodes
from jinja2.visitor import NodeTransformer
from markupsafe import Markup, escape

Say = Callable[[str], str]
_special = re.compile("[&<>\"']").search


def escaped(value: Any) -> str:
    """`value` as it may stand in HTML. Most of what a page says needs no change, and then nothing new is made of it."""
    kind = value.__class__
    if kind is Markup or (kind is str and not _special(value)):
        as_it_is: str = value
        return as_it_is
    return str(value) if kind is int else escape(value)


class _Template(Template):
    @classmethod
    def from_code(
        cls,
        environment: Environment,
        code: CodeType,
        globals: MutableMapping[str, Any],  # noqa: A002 - named by the library
        uptodate: Callable[[], bool] | None = None,
    ) -> Template:
        made = super().from_code(environment, code, globals, uptodate)
        # what is put out goes through this name, 1,300 times a review page
        made.root_render_func.__globals__["escape"] = escaped
        return made


class FoldingEnvironment(Environment):
    """`fixed`: a function that templates call → what it says of a constant. Set before the first template is read."""

    template_class = _Template
    fixed: Mapping[str, Say] = {}

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        folded: nodes.Template = _Folding(self.fixed).visit(super()._parse(source, name, filename))
        return folded

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """The environment's own, where a template brings none: a chain of both is walked name by name at each include,
        which a page of twenty cards does forty times."""
        return super().make_globals(d) if d else self.globals


class _Folding(NodeTransformer):
    def __init__(self, fixed: Mapping[str, Say]):
        self._fixed = fixed

    def visit_Call(self, node: nodes.Call, *args: Any, **kwargs: Any) -> nodes.Node:  # noqa: N802 - named by the visitor
        self.generic_visit(node, *args, **kwargs)
        say = self._fixed.get(node.node.name) if isinstance(node.node, nodes.Name) else None
        if say is None or len(node.args) != 1 or node.kwargs or node.dyn_args or node.dyn_kwargs:
            return node
        (said,) = node.args
        if not isinstance(said, nodes.Const) or not isinstance(said.value, str):
            return node
        return nodes.Const(say(said.value), lineno=node.lineno)
