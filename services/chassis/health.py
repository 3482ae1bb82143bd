"""`/alive`, `/ready`, `/metrics`: answered by a thread of their own, so that a frozen loop is seen.

`/alive` asks whether the loops turned lately. `/ready` is a list of what the service needs, each with
`ok` or what is wrong.
"""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from time import monotonic

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

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
