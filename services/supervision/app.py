"""Supervision as a process."""

from services.chassis.main import run
from services.chassis.service import Service
from services.supervision.decider import supervision
from services.supervision.handlers import HEARS

SERVICE = Service("supervision", HEARS, supervision)


def main() -> int:
    return run(SERVICE)
