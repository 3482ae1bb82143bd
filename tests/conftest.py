"""Real servers for the tests that need them: started once, on free loopback ports, in temporary folders."""

import os
from pathlib import Path

import hypothesis
import pytest

from services.chassis.charter_file import read_charter
from services.console.embedded import embedded_mongo, embedded_nats
from services.console.system import running_system

# A deadline measures the machine, which others use too, not the code. CI draws the same examples every time,
# so that it is red for a reason; everybody else draws new ones.
unhurried = hypothesis.settings(deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.register_profile("duban", unhurried)
hypothesis.settings.register_profile("ci", unhurried, derandomize=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "duban")

# Tests that run side by side inherit the width of somebody's terminal; each that needs one sets its own.
os.environ.pop("COLUMNS", None)

ROOT = Path(__file__).parent.parent
CHARTERS = ROOT / "deploy" / "charters"
SHARED_DATA = ROOT.parent / "shared" / "data"


@pytest.fixture(scope="session")
def mongo():
    with embedded_mongo() as server:
        yield server


@pytest.fixture(scope="session")
def nats_server():
    with embedded_nats() as server:
        yield server


@pytest.fixture(scope="session")
def township():
    return read_charter(CHARTERS / "township-2024.yaml")


@pytest.fixture(scope="session")
def system(township, tmp_path_factory):
    """The whole system with the township's charter, on the system clock."""
    with running_system(township, logs=tmp_path_factory.mktemp("logs")) as running:
        yield running
