"""What every service is told by its environment. Each service subclasses ServiceSettings with its own `env_prefix`."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class ServerSettings(BaseSettings):
    """Settings of a gRPC server. Neither their repr nor their validation errors hold a secret."""

    model_config = SettingsConfigDict(frozen=True, hide_input_in_errors=True)

    listen: str = Field("127.0.0.1:0", description="host:port of the gRPC server; port 0 picks one")
    reuse_port: bool = Field(default=False, description="let several processes share the port (SO_REUSEPORT)")
    jwks: str = Field(description="path or http(s) URL of the JWK Set with which tokens are verified")
    metrics_listen: str | None = Field(None, description="host:port of the Prometheus endpoint; none when unset")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    max_concurrent_calls: int = Field(256, ge=1, description="unary calls at once; more are refused")
    max_concurrent_streams: int = Field(2048, ge=1, description="streams and long polls at once; more are refused")
    max_message_bytes: int = Field(4 * 1024 * 1024, ge=1024, description="the largest message taken or sent")
    drain_grace_seconds: float = Field(5.0, ge=0, description="how long calls in flight may take after SIGTERM")


class ServiceSettings(ServerSettings):
    """Settings of a service with a database and an identity of its own."""

    database_dsn: SecretStr = Field(description="postgresql://user:password@host:port/database, or ?host=/socket/dir")
    key_file: Path | None = Field(None, description="private JWK with which the service signs its own tokens")
