"""What the gateway is told by its environment (prefix `GATEWAY_`)."""

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from sagamesh.mesh.v1 import policy_pb2

OWN_CONTRACT = Path(policy_pb2.__file__).parents[3] / "sagamesh.binpb"
"""The image that is compiled beside the stubs."""

_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^/?#@*\s]+/?", re.IGNORECASE)


class GatewaySettings(BaseSettings):
    """Settings of the gateway. Times are in seconds."""

    model_config = SettingsConfigDict(frozen=True, env_prefix="GATEWAY_", hide_input_in_errors=True)

    listen: str = Field(default="127.0.0.1:8080", description="host:port of the HTTP server; port 0 picks one")
    reuse_port: bool = Field(default=False, description="let several processes share the port (SO_REUSEPORT)")
    upstreams: Annotated[dict[str, str], NoDecode] = Field(
        default={},
        description="package=target, separated by commas, or by semicolons where a target holds commas; "
        "a package serves the packages below it too",
    )
    descriptor_set: Path = Field(
        default=OWN_CONTRACT,
        description="contract of the upstreams: FileDescriptorSet with imports, and source info for comments; "
        "a change of the file is served within two seconds",
    )
    reflect: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="targets whose services tell their contract by gRPC reflection, separated by commas, or by "
        "semicolons where a target holds commas; upstreams win over what these serve",
    )
    descriptor_set_poll: float = Field(default=1.0, gt=0, description="how often the descriptor set is looked at")
    reflect_poll: float = Field(
        default=10.0, gt=0, description="how often reflection is asked; it is asked too when a service is back"
    )
    stream_grace: float = Field(
        default=300.0, ge=0, description="how long streams go on after the contract that they began with"
    )
    title: str = Field(default="Sagamesh", description="title of the API's documentation")
    api_version: str = Field(default="v1", description="version that the API's documentation states")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="lowest level that is logged"
    )
    ignore_unknown: bool = Field(
        default=False, description="ignore query parameters and JSON fields that the contract does not have"
    )
    max_body_bytes: int = Field(default=1024 * 1024, ge=1, description="largest request body taken")
    max_head_bytes: int = Field(default=32 * 1024, ge=256, description="largest request line with headers taken")
    max_headers: int = Field(default=100, ge=1, description="most headers taken in a request")
    max_connections: int = Field(default=4096, ge=1, description="connections above these are answered with 503")
    head_timeout: float = Field(default=10.0, gt=0, description="how long the headers of a request may take to come")
    body_timeout: float = Field(
        default=15.0, gt=0, description="how long a client may send nothing of a body that it has begun"
    )
    body_rate: int = Field(
        default=1024, ge=0, description="bytes a second that a body, but no stream, brings at least on the average"
    )
    max_message_bytes: int = Field(
        default=64 * 1024 * 1024, ge=1024, description="largest message taken from a service"
    )
    unary_deadline: float = Field(default=30.0, gt=0, description="deadline of a unary call for which nobody sets one")
    heartbeat: float = Field(default=15.0, gt=0, description="silence after which an event stream sends a comment")
    stall: float = Field(default=30.0, gt=0, description="how long a client may read nothing before it is dropped")
    drain_grace: float = Field(default=4.0, ge=0, description="how long requests in flight may take after SIGTERM")
    forwarded_headers: Annotated[tuple[str, ...], NoDecode] = Field(
        default=("authorization", "tracestate", "accept-language", "x-request-id"),
        description="request headers that become metadata, separated by commas",
    )

    allowed_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="origins (scheme://host[:port]) whose pages may use this API with their user's credentials, "
        "separated by commas; or *: pages of any origin, without credentials",
    )
    cors_max_age: int = Field(default=600, ge=0, description="how long browsers may remember what an origin may do")
    auth_cookie: str = Field(
        default="",
        pattern=r"^(__Host-[A-Za-z0-9_.-]+)?$",
        description="name of a cookie whose value is taken for a bearer token, such as __Host-token; "
        "behind a proxy that changes Host, the API's own origin must be one of the allowed ones",
    )

    compression: Annotated[tuple[Literal["zstd", "br", "gzip"], ...], NoDecode] = Field(
        default=("zstd", "br", "gzip"),
        description="codings of responses, the preferred one first, separated by commas; empty: none",
    )
    compression_minimum: int = Field(default=1024, ge=1, description="bytes below which a response is not compressed")

    @field_validator("upstreams", mode="before")
    @classmethod
    def _parse_upstreams(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        # A target of several addresses holds commas itself, as in ipv4:10.0.0.1:50051,10.0.0.2:50051.
        pairs = [item.partition("=") for item in _items(value)]
        if not all(package.strip() and target.strip() for package, _, target in pairs):
            raise ValueError("expected package=host:port, separated by commas or semicolons")
        return {package.strip(): target.strip() for package, _, target in pairs}

    @field_validator("allowed_origins")
    @classmethod
    def _check_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if value != ("*",) and not all(map(_ORIGIN.fullmatch, value)):
            raise ValueError("expected origins such as https://app.example:8443, or * alone")
        return value

    @field_validator("reflect", mode="before")
    @classmethod
    def _parse_targets(cls, value: object) -> object:
        return _items(value) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _require_services(self) -> "GatewaySettings":
        if not self.upstreams and not self.reflect:
            raise ValueError("expected upstreams, or targets to reflect")
        return self

    @field_validator("forwarded_headers", "allowed_origins", "compression", mode="before")
    @classmethod
    def _parse_list(cls, value: object) -> object:
        return (
            tuple(name.strip().lower() for name in value.split(",") if name.strip())
            if isinstance(value, str)
            else value
        )


def _items(text: str) -> tuple[str, ...]:
    """The items of a list, whose separator is the semicolon if it has one."""
    return tuple(item.strip() for item in text.split(";" if ";" in text else ",") if item.strip())
