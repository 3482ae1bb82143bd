"""Intake as a process."""

from services.chassis.main import run
from services.chassis.service import Service
from services.intake.audience import audience
from services.intake.decider import intake
from services.intake.handlers import HEARS
from services.intake.queries import QUERIES

SERVICE = Service(
    "intake",
    HEARS,
    intake,
    keeps_personal_data=True,
    gathers=0.25,  # who has a duty on a matter: asked for by people, later
    queries=QUERIES,
    audience=audience,
)


def main() -> int:
    return run(SERVICE)
