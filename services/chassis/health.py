"""`/alive`, `/ready`, `/metrics`: answered by a thread of their own, so that a frozen loop is seen.

`/alive` asks whether any loop of the process turned lately. `/ready` is a JSON object from part to state. A
state is one of three, told apart by how it begins:

    ok                  as it should be
    warning: <text>     somebody should look at it; the service goes on, and is ready
    <any other text>    what is wrong; the service is not ready, and the status is 503
"""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from time import monotonic

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

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


def goes_on(state: str) -> bool:
    """Whether a service with this state is ready all the same."""
    return state == OK or state.startswith(WARNING)


class HealthServer:
    def __init__(self, health: Health, host: str, port: int) -> None:
        handler = type("Handler", (_Handler,), {"health": health})
        self._server = ThreadingHTTPServer((host, port), handler)
        self._server.daemon_threads = True
        self.port = self._server.server_port

    def start(self) -> None:
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 1.0}, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    health: Health

    def do_GET(self) -> None:
        match self.path.partition("?")[0]:
            case "/alive":
                self._json(200 if self.health.alive else 503, {"loop": self.health.report()["loop"]})
            case "/ready":
                self._json(200 if self.health.ready else 503, self.health.report())
            case "/metrics":
                self._answer(200, CONTENT_TYPE_LATEST, generate_latest())
            case _:
                self._json(404, {"error": "there are /alive, /ready and /metrics"})

    def _json(self, status: int, body: dict[str, str]) -> None:
        self._answer(status, "application/json", json.dumps(body, indent=2).encode() + b"\n")

    def _answer(self, status: int, content_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the inherited name)
        """Probes every few seconds are not worth a line."""
