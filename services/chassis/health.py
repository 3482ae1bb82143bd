"""`/alive`, `/ready`, `/metrics`: answered by a thread of their own, so that a frozen loop is seen.

`/alive` asks whether the loops turned lately. `/ready` is a list of what the service needs, each with
`ok` or what is wrong.
"""

import json
from time import monotonic

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from services.chassis.http_thread import HttpThread, Response

OK = "ok"
FROZEN_AFTER = 20.0
"""Seconds without a turn of the loop until it counts as frozen."""


class Health:
    def __init__(self) -> None:
        self._states: dict[str, str] = {"nats": "connecting", "mongo": "connecting", "charter": "missing"}
        self._beaten = monotonic()

    def beat(self) -> None:
        self._beaten = monotonic()

    def say(self, part: str, state: str) -> bool:
        """Returns whether that is news."""
        news = self._states.get(part) != state
        self._states[part] = state
        return news

    @property
    def alive(self) -> bool:
        return monotonic() - self._beaten < FROZEN_AFTER

    @property
    def ready(self) -> bool:
        return self.alive and all(state == OK for state in self._states.values())

    def report(self) -> dict[str, str]:
        return {"loop": OK if self.alive else "frozen", **self._states}


class HealthServer:
    def __init__(self, health: Health, host: str, port: int) -> None:
        self._health = health
        self._http = HttpThread(host, port, self._respond)
        self.port = self._http.port

    def start(self) -> None:
        self._http.start()

    def stop(self) -> None:
        self._http.stop()

    def _respond(self, path: str) -> Response:
        match path:
            case "/alive":
                loop = self._health.report()["loop"]
                return _json(200 if self._health.alive else 503, {"loop": loop})
            case "/ready":
                return _json(200 if self._health.ready else 503, self._health.report())
            case "/metrics":
                return Response(200, CONTENT_TYPE_LATEST, generate_latest())
            case _:
                return _json(404, {"error": "there are /alive, /ready and /metrics"})


def _json(status: int, body: dict[str, str]) -> Response:
    return Response(status, "application/json", json.dumps(body, indent=2).encode() + b"\n")
