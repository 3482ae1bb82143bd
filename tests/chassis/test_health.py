"""`/alive` and `/ready` are answered even where the loop is frozen, and say so."""

import json
import socket
import threading
import urllib.error
import urllib.request

import pytest
from structlog.testing import capture_logs

from services.chassis import health as health_module
from services.chassis import http_thread
from services.chassis import metrics as metrics_module
from services.chassis.health import OK, Health, HealthServer
from services.chassis.process import LONG_QUEUE, behind, log_health


@pytest.fixture
def health():
    return Health()


@pytest.fixture
def server(health):
    server = HealthServer(health, "127.0.0.1", 0)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def get(server):
    def ask(path):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{server.port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.status, error.read().decode()

    return ask


def test_a_service_is_ready_when_everything_it_needs_is_ok(health, get):
    status, body = get("/ready")
    assert (status, json.loads(body)["charter"]) == (503, "missing")
    for part in ("nats", "mongo", "charter"):
        health.say(part, OK)
    status, body = get("/ready")
    assert (status, json.loads(body)) == (200, dict.fromkeys(("loop", "nats", "mongo", "charter"), OK))
    health.say("dead_letters", "stopped")
    assert get("/ready")[0] == 503


@pytest.mark.case("B5", "B6")
def test_a_warning_is_said_and_leaves_the_service_ready(health, get):
    for part in ("nats", "mongo", "charter"):
        health.say(part, OK)
    assert not health.warn("slow_decisions", None)  # nothing to say, nothing said
    assert health.warn("slow_decisions", "Submit took 2.0 s to decide")
    status, body = get("/ready")
    assert (status, json.loads(body)["slow_decisions"]) == (200, "warning: Submit took 2.0 s to decide")
    assert health.warn("slow_decisions", None)
    assert json.loads(get("/ready")[1])["slow_decisions"] == OK


def test_one_loop_that_does_not_turn_is_named_though_others_do(health, get, monkeypatch):
    for part in ("nats", "mongo", "charter"):
        health.say(part, OK)
    health.beat("wakes")
    assert get("/ready")[0] == 200
    monkeypatch.setattr(health_module, "STUCK_AFTER", -1.0)
    health.beat()
    assert (get("/ready")[0], json.loads(get("/ready")[1])["loop"]) == (503, "stuck: wakes")
    assert get("/alive")[0] == 200


def test_a_frozen_loop_is_seen_from_outside(health, get, monkeypatch):
    assert get("/alive")[0] == 200
    monkeypatch.setattr(health_module, "FROZEN_AFTER", 0.0)
    status, body = get("/alive")
    assert (status, json.loads(body)) == (503, {"loop": "frozen"})
    assert get("/ready")[0] == 503


def test_metrics_are_there_and_any_other_path_says_what_is(get):
    assert metrics_module.MESSAGES
    assert "# TYPE duban_messages_total counter" in get("/metrics")[1]
    status, body = get("/anything")
    assert status == 404
    assert "/alive, /ready and /metrics" in body


@pytest.mark.case("B17")
def test_two_hundred_idle_connections_cost_no_thread_and_delay_no_probe(server, get):
    before = set(threading.enumerate())
    idle = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(200)]
    try:
        assert get("/alive")[0] == 200
        assert not set(threading.enumerate()) - before
        assert len(server._http._open) <= http_thread.MAX_CONNECTIONS
    finally:
        for connection in idle:
            connection.close()


@pytest.mark.case("B17")
@pytest.mark.parametrize("sent", [b"", b"GET /alive HTTP/1.1\r\n"])
def test_a_connection_that_asks_nothing_is_closed_after_a_while(monkeypatch, server, sent):
    monkeypatch.setattr(http_thread, "REQUEST_SECONDS", 0.05)
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        connection.sendall(sent)
        assert connection.recv(1) == b""


@pytest.mark.case("B17")
@pytest.mark.parametrize("sent", [b"x" * 100_000, b"\xff\xfe \x00\r\n\r\n", b"\r\n\r\n"])
def test_what_is_no_request_is_refused_and_the_next_is_answered(server, get, sent):
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        try:
            connection.sendall(sent)
            told = connection.recv(100)
        except ConnectionError:
            told = b""
        assert told == b"" or told.startswith(b"HTTP/1.1 405 ")
    assert get("/alive")[0] == 200


@pytest.mark.case("B8")
def test_a_long_queue_is_a_warning_and_a_short_one_is_none() -> None:
    pending = {("LEDGER_CMD", "ledger"): LONG_QUEUE + 1, ("LEDGER_EVT", "ledger"): LONG_QUEUE}
    assert behind(pending) == f"{LONG_QUEUE + 1} messages of LEDGER_CMD wait for ledger"
    assert behind(dict.fromkeys(pending, 0)) is None


@pytest.mark.parametrize(("state", "level"), [(OK, "info"), ("no answer", "warning")])
def test_trouble_is_logged_as_a_warning_and_its_end_is_not(state: str, level: str) -> None:
    with capture_logs() as lines:
        log_health("mongo", state)
    assert [line["log_level"] for line in lines] == [level]
