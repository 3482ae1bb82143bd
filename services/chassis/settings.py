"""What a service must be told from outside: environment variables `DUBAN_*`, or secrets in files."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

SECRETS = Path("/run/secrets")
"""Containers find what must stay secret here, one file per setting, e.g. `duban_nats_url`."""


class ClockMode(StrEnum):
    SYSTEM = "system"
    """What falls due is found by the machine's clock."""
    TOLD = "told"
    """Time passes only when a `pass_time` message says so: for time-lapses and tests."""


class Settings(BaseSettings):
    """Every setting is described in `services/chassis/README.md`."""

    model_config = SettingsConfigDict(
        env_prefix="DUBAN_", extra="ignore", secrets_dir=SECRETS if SECRETS.is_dir() else None
    )

    nats_url: str = "nats://127.0.0.1:4222"
    mongo_url: str = "mongodb://127.0.0.1:27017/?replicaSet=rs0"
    database_prefix: str = "duban"
    http_host: str = "127.0.0.1"
    http_port: int | None = Field(
        None, ge=0, le=65535, description="For /alive, /ready, /metrics; 0: any free"
    )
    clock: ClockMode = ClockMode.SYSTEM
    batch: Annotated[int, Field(ge=1, le=1000)] = 500
    poll_seconds: Annotated[float, Field(gt=0, le=60)] = 1.0
    graceful_seconds: Annotated[float, Field(gt=0, le=300)] = 10.0
    poison_cap: Annotated[int, Field(ge=1)] = 100
    log_format: str = Field("json", pattern="^(json|console)$")
    log_level: str = Field("INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$")
