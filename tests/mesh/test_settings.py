"""What settings read, and what they never show."""

import pytest
from pydantic import ValidationError
from pydantic_settings import SettingsConfigDict

from mesh.settings import ServiceSettings


class EchoSettings(ServiceSettings):
    """Settings as a domain declares them."""

    model_config = SettingsConfigDict(env_prefix="ECHO_")


def test_settings_come_from_the_services_own_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECHO_JWKS", "jwks.json")
    monkeypatch.setenv("ECHO_DATABASE_DSN", "postgresql://owner:hunter2@db/echo")
    monkeypatch.setenv("ECHO_MAX_CONCURRENT_CALLS", "7")
    monkeypatch.setenv("LISTEN", "0.0.0.0:1")
    settings = EchoSettings()  # pyright: ignore[reportCallIssue]  # the environment has the rest
    assert (settings.jwks, settings.max_concurrent_calls, settings.listen) == ("jwks.json", 7, "127.0.0.1:0")
    assert settings.database_dsn.get_secret_value() == "postgresql://owner:hunter2@db/echo"
    assert "hunter2" not in f"{settings!r} {settings}"
    with pytest.raises(ValidationError, match="frozen"):
        settings.listen = "elsewhere:1"  # pyright: ignore[reportAttributeAccessIssue]


def test_an_error_of_settings_shows_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECHO_DATABASE_DSN", "postgresql://owner:hunter2@db/echo")
    monkeypatch.setenv("ECHO_LOG_LEVEL", "hunter2")
    with pytest.raises(ValidationError) as raised:
        EchoSettings()  # pyright: ignore[reportCallIssue]
    assert "hunter2" not in str(raised.value)
