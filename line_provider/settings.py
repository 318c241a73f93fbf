"""What line_provider is told by its environment, in variables that begin with LINE_PROVIDER_."""

from pydantic_settings import SettingsConfigDict

from mesh.settings import ServiceSettings


class Settings(ServiceSettings):
    """Settings of line_provider: those of every service, and none of its own."""

    model_config = SettingsConfigDict(env_prefix="LINE_PROVIDER_")
