"""`/alive` and `/ready` are answered even where the loop is frozen, and say so."""

import json
import urllib.error
import urllib.request

import pytest

from services.chassis import health as health_module
from services.chassis.health import OK, Health, HealthServer


@pytest.fixture
def health():
    return Health()


@pytest.fixture
def get(health):
    server = HealthServer(health, "127.0.0.1", 0)
    server.start()

    def ask(path):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{server.port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.status, error.read().decode()

    yield ask
    server.stop()


def test_a_service_is_ready_when_everything_it_needs_is_ok(health, get):
    status, body = get("/ready")
    assert (status, json.loads(body)["charter"]) == (503, "missing")
    for part in ("nats", "mongo", "charter"):
        health.say(part, OK)
    status, body = get("/ready")
    assert (status, json.loads(body)) == (200, dict.fromkeys(("loop", "nats", "mongo", "charter"), OK))
    health.say("dead_letters", "stopped")
    assert get("/ready")[0] == 503


def test_a_frozen_loop_is_seen_from_outside(health, get, monkeypatch):
    assert get("/alive")[0] == 200
    monkeypatch.setattr(health_module, "FROZEN_AFTER", 0.0)
    status, body = get("/alive")
    assert (status, json.loads(body)) == (503, {"loop": "frozen"})
    assert get("/ready")[0] == 503


def test_metrics_are_there_and_any_other_path_says_what_is(get):
    assert "# TYPE duban_messages_total counter" in get("/metrics")[1]
    status, body = get("/anything")
    assert status == 404
    assert "/alive, /ready and /metrics" in body
