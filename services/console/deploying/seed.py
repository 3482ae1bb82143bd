"""All passwords of an installation follow from one secret seed, so that a new station needs no new secret.

`deploy/init.py`, which runs before there is an image, derives them in the same way; a test compares.
"""

import hmac
from pathlib import Path

from pydantic import BaseModel, Field


class Seed(BaseModel):
    """Written by `deploy/init.py`. `rotated` counts how often a credential was replaced."""

    seed: str = Field(min_length=32)
    rotated: dict[str, int] = {}

    def password(self, system: str, user: str) -> str:
        """`system` is `nats` or `mongo`; 40 hexadecimal digits."""
        name = f"{system}/{user}"
        message = f"{name}/{self.rotated.get(name, 0)}"
        return hmac.digest(self.seed.encode(), message.encode(), "sha256").hex()[:40]


def read_seed(file: Path) -> Seed:
    return Seed.model_validate_json(file.read_bytes())
