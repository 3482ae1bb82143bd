"""Faults of messages and of time: poison, copies, disorder, wrong clocks."""

import re
import urllib.request
from functools import partial

from duban_contracts.ledger import EntryOverdue
from duban_contracts.subjects import subject_of
from services.console.system import Running
from tests.faults.faults import CALM, Site, fault
from tests.faults.kept import FOREIGN
from tests.faults.poison import MARK, buried, poison, publish
from tests.faults.proxy import Proxy
from tests.faults.town import Town, busy
from tests.waiting import until

HOUR = 3600


@fault("poison among good messages")
def poison_flood(site: Site) -> int:
    """Every one becomes a dead letter with its reason; the invariants look after its neighbours."""
    flood = list(poison(site.seed, 250, site.random))
    for start in range(0, len(flood), 25):
        site.town.do(partial(publish, messages=flood[start : start + 25]))
        site.more(10)
    marks = {headers[MARK] for _, headers, _ in flood}
    until(lambda: marks <= site.town.do(lambda town: buried(town.client)), 60)
    return len(flood)


@fault("nothing but poison")
def nothing_but_poison(site: Site) -> int:
    """Unreadable commands stop nobody. Unreadable facts beyond the cap do, and `/ready` says so; mended, that
    is restarted, the service goes on."""
    victim = site.service("escalation")
    site.load.pause()
    site.town.caught_up()
    songs = [(f"cmd.escalation.sing.v1.{n}", {MARK: f"poison-song-{n}"}, b"la") for n in range(150)]
    site.town.do(lambda town: publish(town, songs))
    site.town.caught_up()
    assert "stopped" not in victim.report().get("dead_letters", "")
    subject = subject_of(EntryOverdue, "bianmin")
    letters = [
        (subject, {MARK: f"poison-cap-{n}", "ce-id": f"{FOREIGN}cap-{n}"}, b"never") for n in range(150)
    ]
    site.town.do(lambda town: publish(town, letters))
    until(lambda: "stopped" in victim.report().get("dead_letters", ""), 30)
    assert busy(victim) < CALM
    site.load.resume()
    victim.child.terminate()
    victim.child.start()
    return len(letters)


@fault("dropped, doubled, out of order")
def through_a_proxy(site: Site) -> int:
    """Commands come through a stream that loses acknowledgements, repeats and shuffles."""
    with Proxy(site.town.system.nats_url, site.random) as proxy:
        site.load.send = proxy.send
        try:
            site.more(150)
        finally:
            site.load.send = site.load.straight
        site.load.pause()
        proxy.drain()
        site.load.resume()
    assert proxy.doubled > 0
    assert proxy.out_of_order > 0
    return proxy.doubled + proxy.dropped


@fault("clock an hour wrong")
def clock_steps(site: Site) -> int:
    """Forward over midnight, when deadlines would fall due too early; then backward; then right again.
    Nothing is woken meanwhile, and messages are answered all the same."""
    ledger = site.service("ledger")
    for wrong in (HOUR, -HOUR):
        _set_clocks(site.town, wrong)
        until(lambda: "the broker's" in ledger.report().get("clock", ""), 60)
        woken = _wakes(ledger)
        site.more()
        assert _wakes(ledger) == woken
    _set_clocks(site.town, 0)
    until(lambda: ledger.report().get("clock") == "ok", 60)
    return 3


def _set_clocks(town: Town, seconds: int) -> None:
    new = town.control / "clock.new"
    new.write_text(str(seconds))
    new.replace(town.control / "clock")


def _wakes(service: Running) -> float:
    with urllib.request.urlopen(f"{service.http_url}/metrics", timeout=5) as answer:
        found = re.search(rf'duban_wakes_total{{consumer="{service.name}"}} (\S+)', answer.read().decode())
    return float(found[1]) if found else 0.0
