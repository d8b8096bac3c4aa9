"""scipy, imported by whoever calculates and not by whoever might: it takes more than a second, and a web server that is
to be up soon seldom calculates."""

from importlib import import_module
from typing import Any


class _Deferred:
    def __init__(self, name: str):
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(import_module(self._name), attribute)


stats: Any = _Deferred("scipy.stats")
special: Any = _Deferred("scipy.special")
optimize: Any = _Deferred("scipy.optimize")
