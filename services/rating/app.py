"""Rating as a process."""

from services.chassis.main import run
from services.chassis.service import Service
from services.rating.audience import audience
from services.rating.decider import rating
from services.rating.handlers import HEARS

SERVICE = Service("rating", HEARS, rating, audience=audience)


def main() -> int:
    return run(SERVICE)
