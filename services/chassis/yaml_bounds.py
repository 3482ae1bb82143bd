"""YAML that somebody hands in: bounds on its size, its depth and what its aliases stand for.

An alias costs a few bytes and stands for a whole tree, and a tree of aliases for a tree of trees: some
hundred bytes may stand for more values than there is memory. So what counts is how many values the document
has with every alias written out; it is known while the document is composed, before anybody walks through it.
"""

from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.composer import Composer
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.events import AliasEvent
from ruamel.yaml.nodes import Node

MOST_BYTES = 500_000
MOST_VALUES = 20_000
"""The shipped charter has some 1,500 values in 20 kB."""
DEEPEST = 40


class OutOfBounds(MarkedYAMLError):
    """`code` says which bound: too_large, too_many_values, too_deep or alias_in_itself."""

    def __init__(self, code: str, mark: Any = None, **params: int) -> None:
        super().__init__(problem=code, problem_mark=mark)
        self.code, self.params = code, params


def check_size(content: bytes) -> None:
    """Raises OutOfBounds."""
    if len(content) > MOST_BYTES:
        raise OutOfBounds("too_large", most=MOST_BYTES, size=len(content))


def bounded(yaml: YAML) -> YAML:
    """The same reader; composing raises OutOfBounds, at the line where the bound is passed."""
    yaml.Composer = _Composer
    return yaml


class _Composer(Composer):
    def __init__(self, loader: Any = None) -> None:
        super().__init__(loader)
        self._values, self._level = 0, 0
        self._sizes: dict[int, int] = {}
        """Values below a node, itself included, by the node's identity."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        event, before = self.parser.peek_event(), self._values
        self._values += 1
        self._level += 1
        if self._level > DEEPEST:
            raise OutOfBounds("too_deep", event.start_mark)
        node: Node = super().compose_node(parent, index)
        self._level -= 1
        if isinstance(event, AliasEvent):
            if id(node) not in self._sizes:  # not complete yet: we are inside it
                raise OutOfBounds("alias_in_itself", event.start_mark)
            self._values = before + self._sizes[id(node)]
        else:
            self._sizes[id(node)] = self._values - before
        if self._values > MOST_VALUES:
            raise OutOfBounds("too_many_values", event.start_mark, most=MOST_VALUES)
        return node
