"""The embedded Redis: what each role keeps, and what it lets strangers do."""
# redis-py leaves its keyword arguments untyped.
# pyright: reportUnknownMemberType=false

from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.exceptions import AuthenticationError, NoPermissionError

from stack.ports import free_port
from stack.redis import Instance, Role
from tests.servers import running, running_redis


async def test_work_can_be_flushed_but_not_configured(redis_server: str):
    async with Redis.from_url(redis_server) as client:
        await client.set("test_redis:key", "value")
        assert await client.get("test_redis:key") == b"value"
        assert await client.flushall()
        with pytest.raises(NoPermissionError):
            await client.config_set("dir", "/")


async def test_log_keeps_what_it_acknowledged_when_it_is_killed(tmp_path: Path):
    instance = Instance(Role.LOG, tmp_path / "redis-log", free_port(), "secret")
    instance.initialise()
    with running(instance.program(), instance.port, tmp_path / "log") as process:
        async with Redis.from_url(instance.url) as client:
            await client.xadd("stream", {"field": "value"})
        process.kill()
        process.wait()
    with running(instance.program(), instance.port, tmp_path / "log"):
        async with Redis.from_url(instance.url) as client:
            assert await client.xlen("stream") == 1


async def test_log_asks_for_its_password(tmp_path: Path):
    with running_redis(tmp_path, Role.LOG) as url:
        async with Redis.from_url(url.replace(":secret@", "")) as client:
            with pytest.raises(AuthenticationError):
                await client.get("key")


async def test_log_refuses_rather_than_evicts(tmp_path: Path):
    with running_redis(tmp_path, Role.LOG) as url:
        async with Redis.from_url(url) as client:
            assert await client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
            assert await client.config_get("appendfsync") == {"appendfsync": "always"}


def test_the_configuration_is_ours_alone_and_the_password_on_no_command_line(tmp_path: Path):
    instance = Instance(Role.LOG, tmp_path, 1, "very-secret")
    instance.initialise()
    assert (tmp_path / "redis.conf").stat().st_mode & 0o077 == 0
    assert "very-secret" not in " ".join(instance.program().command())
