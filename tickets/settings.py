"""What tickets is told by its environment, in variables that begin with TICKETS_."""

from pydantic_settings import SettingsConfigDict

from mesh.settings import ServiceSettings


class Settings(ServiceSettings):
    """Settings of tickets: those of every service, and none of its own."""

    model_config = SettingsConfigDict(env_prefix="TICKETS_")
