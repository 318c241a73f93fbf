"""What the worker is told at start, by environment variables with the prefix ARQ_WORKER_."""

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class WorkerSettings(BaseSettings):
    """The worker's settings. `targets` is `name=target,...`: gRPC targets of every service it serves, where a target
    may hold several addresses of its own (`ipv4:10.0.0.1:50051,10.0.0.2:50051`) when the entries are split by `;`."""

    model_config = SettingsConfigDict(env_prefix="ARQ_WORKER_", frozen=True)

    redis_dsn: SecretStr
    key_file: Path
    targets: str
    metrics_listen: str | None = None
    log_level: str = "INFO"
    pull_wait: float = Field(default=5.0, gt=0)
    deliver_timeout: float = Field(default=10.0, gt=0)
    tick_seconds: int = Field(default=5, ge=1, le=30)

    def targets_by_name(self) -> dict[str, str]:
        """The targets, parsed. Raises ValueError for an entry without a name."""
        separator = ";" if ";" in self.targets else ","
        entries = [entry.strip() for entry in self.targets.split(separator) if entry.strip()]
        pairs = [entry.partition("=") for entry in entries]
        if faulty := [name for name, equals, target in pairs if not (name and equals and target)]:
            raise ValueError(f"ARQ_WORKER_TARGETS: not NAME=TARGET: {faulty[0]}")
        return {name: target for name, _, target in pairs}
