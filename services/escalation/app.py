"""Escalation as a process, with the laggard report as its read model."""

from services.chassis.main import run
from services.chassis.service import Service
from services.escalation.decider import escalation
from services.escalation.handlers import HEARS
from services.escalation.report import REPORT_HEARS, scorecard
from services.escalation.standing import standing
from services.escalation.views import QUERIES

# What follows from a fact here is for people, after days: a quarter of a second is nothing.
SERVICE = Service("escalation", HEARS, escalation, standing=standing, queries=QUERIES, gathers=0.25)
REPORT = Service("escalation-report", REPORT_HEARS, scorecard, tells=False, gathers=0.25)


def main() -> int:
    return run(SERVICE, REPORT)
