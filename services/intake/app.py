"""Intake as a process."""

from services.chassis.main import run
from services.chassis.service import Service
from services.intake.audience import audience
from services.intake.decider import intake
from services.intake.handlers import HEARS

SERVICE = Service("intake", HEARS, intake, audience=audience)


def main() -> int:
    return run(SERVICE)
