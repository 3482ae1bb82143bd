"""`/alive`, `/ready`, `/metrics`: answered by a thread of their own, so that a frozen loop is seen.

`/alive` asks whether any loop of the process turned lately. `/ready` is a JSON object from part to state. A
state is one of three, told apart by how it begins:

    ok                  as it should be
    warning: <text>     somebody should look at it; the service goes on, and is ready
    <any other text>    what is wrong; the service is not ready, and the status is 503
"""

import json
from time import monotonic

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from services.chassis.http_thread import HttpThread, Response

OK = "ok"
FROZEN_AFTER = 20.0
"""Seconds without a turn of the loop until it counts as frozen."""


STUCK_AFTER = 60.0
"""Seconds without a turn of one loop until it counts as stuck."""
WARNING = "warning: "


class Health:
    def __init__(self) -> None:
        self._states: dict[str, str] = {"nats": "connecting", "mongo": "connecting", "charter": "missing"}
        self._beaten = monotonic()
        self._turned: dict[str, float] = {}

    def beat(self, loop: str | None = None) -> None:
        """Some loop turned; `loop` names one that has to turn again within STUCK_AFTER."""
        self._beaten = monotonic()
        if loop is not None:
            self._turned[loop] = self._beaten

    def say(self, part: str, state: str) -> bool:
        """Returns whether that is news."""
        news = self._states.get(part) != state
        self._states[part] = state
        return news

    def knows(self, part: str) -> bool:
        return part in self._states

    def warn(self, part: str, text: str | None) -> bool:
        """`text` is what somebody should look at; None: all is well. Returns whether that is news."""
        if text is None and part not in self._states:
            return False
        return self.say(part, OK if text is None else f"{WARNING}{text}")

    @property
    def alive(self) -> bool:
        return monotonic() - self._beaten < FROZEN_AFTER

    @property
    def stuck(self) -> list[str]:
        """Loops that have not turned for too long."""
        now = monotonic()
        return sorted(loop for loop, at in dict(self._turned).items() if now - at > STUCK_AFTER)

    @property
    def ready(self) -> bool:
        return self.alive and not self.stuck and all(map(goes_on, dict(self._states).values()))

    def report(self) -> dict[str, str]:
        loop = f"stuck: {', '.join(self.stuck)}" if self.stuck else OK
        return {"loop": loop if self.alive else "frozen", **self._states}

    def wrong(self) -> dict[str, str]:
        """The parts for which it is not ready; warnings, which may name who sends what, are for operators."""
        return {part: state for part, state in self.report().items() if not goes_on(state)}


def goes_on(state: str) -> bool:
    """Whether a service with this state is ready all the same."""
    return state == OK or state.startswith(WARNING)


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
