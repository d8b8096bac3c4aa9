"""What keeps a whole service within what a provider allows and can do: a window of requests in flight, requests and
tokens a minute over all hosts, and a circuit breaker. All calls of a process pass through one `ModelGate`."""

from callgrade.adapters.limits.breaker import Breaker, CircuitOpenError
from callgrade.adapters.limits.gate import ModelGate
from callgrade.adapters.limits.leases import Leases
from callgrade.adapters.limits.window import Window

__all__ = ["Breaker", "CircuitOpenError", "Leases", "ModelGate", "Window"]
