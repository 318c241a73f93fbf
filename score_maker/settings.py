"""What score_maker is told by its environment, in variables that begin with SCORE_MAKER_."""

from datetime import timedelta

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from mesh.outbox.servicer import OutboxOptions
from mesh.outbox.settle import RetryPolicy
from mesh.settings import ServiceSettings


class Settings(ServiceSettings):
    """Settings of score_maker: those of every service, where line_provider is, and how patient its messages are."""

    model_config = SettingsConfigDict(env_prefix="SCORE_MAKER_")

    line_provider_target: str = Field(description="gRPC target of line_provider: host:port, dns:///name:port")
    event_keep_seconds: float = Field(1.0, ge=0, description="how old what is known of an event may be at a score")
    saga_deadline_seconds: float = Field(900, gt=0, description="a saga whose pivot takes longer is taken back")
    outbox_lease_seconds: float = Field(6.0, gt=0, description="how long a relay holds a bucket without renewing")
    outbox_poll_seconds: float = Field(0.5, gt=0, description="how often a waiting relay's pull looks by itself")
    retry_attempts: int = Field(20, ge=1, description="how often a message that fails by itself is tried")
    retry_base_seconds: float = Field(0.2, gt=0, description="longest wait before the first retry; doubles each time")
    retry_cap_seconds: float = Field(60.0, gt=0, description="longest wait before any retry")

    @property
    def saga_deadline(self) -> timedelta:
        """How long a saga may take to its pivot."""
        return timedelta(seconds=self.saga_deadline_seconds)

    @property
    def outbox(self) -> OutboxOptions:
        """How the outbox leases and retries."""
        retry = RetryPolicy(self.retry_attempts, self.retry_base_seconds, self.retry_cap_seconds)
        return OutboxOptions(self.outbox_lease_seconds, self.outbox_poll_seconds, retry)
