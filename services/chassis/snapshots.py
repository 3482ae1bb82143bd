"""States at rest: JSON by pydantic, tagged with the class and with the shape of the code that wrote it."""

import hashlib
import json
from typing import Any, Generic

from pydantic import TypeAdapter

from services.chassis.decider import Decider, State
from services.chassis.documents import Snapshot


class Snapshots(Generic[State]):
    def __init__(self, decider: Decider[Any, State, Any]) -> None:
        self._adapters: dict[str, TypeAdapter[State]] = {
            state.__name__: TypeAdapter(state) for state in decider.states
        }
        schemas = {name: adapter.json_schema() for name, adapter in self._adapters.items()}
        self.shape = hashlib.sha256(json.dumps(schemas, sort_keys=True).encode()).hexdigest()[:16]

    def freeze(self, state: State) -> Snapshot:
        kind = type(state).__name__
        return Snapshot(self.shape, kind, self._adapters[kind].dump_json(state).decode())

    def knows(self, snapshot: Snapshot) -> bool:
        """Whether it is of a class that a state can be."""
        return snapshot.kind in self._adapters

    def thaw(self, snapshot: Snapshot) -> State:
        return self._adapters[snapshot.kind].validate_json(snapshot.state)
