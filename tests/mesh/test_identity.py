"""Tokens: what is accepted, and each way in which one is refused."""

import asyncio
import base64
import hashlib
import hmac
import json
import os
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from mesh.errors import Unauthenticated, Unavailable
from mesh.identity import (
    Jwk,
    KeySet,
    KeysUnavailable,
    ServiceTokens,
    TokenExpired,
    TokenInvalid,
    TokenVerifier,
    generate_key,
    load_key,
    mint,
    public_jwks,
)

USERS = generate_key("users")
WORKER = generate_key("service:arq_worker")
SCORES = generate_key("service:score_maker")


def publish(path: Path, *keys: Jwk) -> None:
    """Replaces the file as a deployment does: in one step, with another time stamp."""
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(public_jwks(keys)))
    fresh.replace(path)


@pytest.fixture
def jwks(tmp_path: Path) -> Path:
    publish(tmp_path / "jwks.json", USERS, WORKER, SCORES)
    return tmp_path / "jwks.json"


@pytest.fixture
def verifier(jwks: Path) -> TokenVerifier:
    return TokenVerifier(KeySet(str(jwks)))


def signed(key: Jwk, **claims: Any) -> str:
    """A token with exactly these claims."""
    private = jwt.PyJWK(dict(key))
    return jwt.encode(claims, private.key, algorithm=private.algorithm_name, headers={"kid": key["kid"]})


def encoded(part: Any) -> str:
    content = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def claims(**others: Any) -> dict[str, Any]:
    return {"sub": "alice", "aud": "sagamesh", "exp": int(time.time()) + 3600, **others}


async def test_a_users_token_makes_a_user_with_roles(verifier: TokenVerifier) -> None:
    principal = await verifier.verify(mint(USERS, "alice", ["manager"]))
    assert (principal.id, principal.subject, principal.roles) == ("user:alice", "alice", {"manager"})


async def test_a_services_token_makes_that_service_without_roles(verifier: TokenVerifier) -> None:
    principal = await verifier.verify(mint(WORKER, "service:arq_worker", ["operator"]))
    assert (principal.id, principal.roles) == ("service:arq_worker", frozenset())


async def test_an_expired_token_is_told_apart(verifier: TokenVerifier) -> None:
    with pytest.raises(TokenExpired) as raised:
        await verifier.verify(mint(USERS, "alice", ttl=-1))
    assert raised.value.reason == "TOKEN_EXPIRED"


async def test_a_remembered_token_is_forgotten_when_it_expires(verifier: TokenVerifier) -> None:
    token = signed(USERS, **claims(exp=time.time() + 1.5))
    await verifier.verify(token)
    assert verifier.remembered(token) is not None
    deadline = time.monotonic() + 5
    while verifier.remembered(token) is not None:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)
    with pytest.raises(TokenExpired):
        await verifier.verify(token)


def unsigned(algorithm: str) -> str:
    return f"{encoded({'alg': algorithm, 'kid': 'users'})}.{encoded(claims())}."


def signed_with_the_public_key() -> str:
    """The attack on verifiers that let the header choose: HS256 with the public key as its secret."""
    body = f"{encoded({'alg': 'HS256', 'kid': 'users'})}.{encoded(claims())}"
    secret = base64.urlsafe_b64decode(USERS["x"] + "=")
    return f"{body}.{encoded(hmac.digest(secret, body.encode(), hashlib.sha256))}"


def with_another_body(token: str) -> str:
    header, _, signature = token.split(".")
    return f"{header}.{encoded(claims(sub='root'))}.{signature}"


FORGED = {
    "alg none": unsigned("none"),
    "alg None": unsigned("None"),
    "alg EdDSA, no signature": unsigned("EdDSA"),
    "HS256 with the public key": signed_with_the_public_key(),
    "a stranger's key under a known kid": signed(generate_key("users"), **claims()),
    "an unknown kid": signed(generate_key("somebody"), **claims()),
    "no kid": jwt.encode(claims(), jwt.PyJWK(dict(USERS)).key, algorithm="EdDSA"),
    "a changed body": with_another_body(mint(USERS, "bob")),
    "another audience": signed(USERS, **claims(aud="elsewhere")),
    "no audience": signed(USERS, sub="alice", exp=int(time.time()) + 3600),
    "no expiry": signed(USERS, sub="alice", aud="sagamesh"),
    "no subject": signed(USERS, aud="sagamesh", exp=int(time.time()) + 3600),
    "an empty subject": signed(USERS, **claims(sub="")),
    "a subject longer than any id": signed(USERS, **claims(sub="a" * 256)),
    "a subject with a NUL": signed(USERS, **claims(sub="alice\0")),
    "half a surrogate pair as subject": signed(USERS, **claims(sub="\ud800")),
    "a subject that is a number": signed(USERS, **claims(sub=7)),
    "not yet valid": signed(USERS, **claims(nbf=int(time.time()) + 3600)),
    "roles that are a string": signed(USERS, **claims(roles="manager")),
    "roles that are numbers": signed(USERS, **claims(roles=[1])),
    "a user's key for a service": mint(USERS, "service:arq_worker"),
    "a service's key for another service": mint(SCORES, "service:arq_worker"),
    "a service's key for a user": mint(SCORES, "alice", ["manager"]),
    "not a token": "hunter2",
    "nothing": "",
    "far too long": "x" * 10_000,
    "a header that is a list": f"{encoded([])}.{encoded({})}.",
    "a kid that is a number": f"{encoded({'alg': 'EdDSA', 'kid': 7})}.{encoded({})}.",
}


@pytest.mark.parametrize("name", FORGED)
async def test_a_bad_token_is_refused_without_an_echo(verifier: TokenVerifier, name: str) -> None:
    token = FORGED[name]
    with pytest.raises(TokenInvalid) as raised:
        await verifier.verify(token)
    assert isinstance(raised.value, Unauthenticated)
    assert raised.value.reason == "TOKEN_INVALID"
    assert not token or token not in str(raised.value)
    assert verifier.remembered(token) is None


async def test_keys_decide_the_algorithm(tmp_path: Path) -> None:
    rsa_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    ec_key = ec.generate_private_key(ec.SECP256R1())
    public = [
        {**RSAAlgorithm.to_jwk(rsa_key.public_key(), as_dict=True), "kid": "rsa"},
        {**ECAlgorithm.to_jwk(ec_key.public_key(), as_dict=True), "kid": "ec"},
        {"kty": "oct", "k": encoded(b"x" * 32), "kid": "shared"},
    ]
    path = tmp_path / "jwks.json"
    path.write_text(json.dumps({"keys": public}))
    verifier = TokenVerifier(KeySet(str(path)))
    for key, algorithm, kid in ((rsa_key, "RS256", "rsa"), (ec_key, "ES256", "ec")):
        token = jwt.encode(claims(), key, algorithm=algorithm, headers={"kid": kid})
        assert (await verifier.verify(token)).id == "user:alice"
    for key, algorithm, kid in ((rsa_key, "PS256", "rsa"), (b"x" * 32, "HS256", "shared")):
        with pytest.raises(TokenInvalid):
            await verifier.verify(jwt.encode(claims(), key, algorithm=algorithm, headers={"kid": kid}))


async def test_a_key_that_appears_later_is_found(jwks: Path, verifier: TokenVerifier) -> None:
    await verifier.verify(mint(USERS, "alice"))
    fresh = generate_key("service:newcomer")
    publish(jwks, USERS, fresh)
    assert (await verifier.verify(mint(fresh, "service:newcomer"))).id == "service:newcomer"


async def test_a_key_that_is_taken_away_ends_the_tokens_it_signed(jwks: Path) -> None:
    verifier = TokenVerifier(KeySet(str(jwks), file_interval=0.0))
    token = mint(USERS, "alice")
    await verifier.verify(token)
    publish(jwks, WORKER)
    deadline = time.monotonic() + 5
    while verifier.remembered(token) is not None:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)
    with pytest.raises(TokenInvalid):
        await verifier.verify(token)


async def test_keys_stay_when_their_file_breaks(jwks: Path) -> None:
    keys = KeySet(str(jwks))
    verifier = TokenVerifier(keys)
    await verifier.verify(mint(USERS, "alice"))
    await asyncio.to_thread(jwks.write_text, "half a fi")
    with pytest.raises(KeysUnavailable):
        await keys.refresh()
    assert (await verifier.verify(mint(USERS, "bob"))).id == "user:bob"


async def test_without_any_keys_the_service_is_unavailable(tmp_path: Path) -> None:
    verifier = TokenVerifier(KeySet(str(tmp_path / "nothing.json")))
    with pytest.raises(KeysUnavailable, match=r"nothing\.json"):
        await verifier.load()
    with pytest.raises(Unavailable):
        await verifier.verify(mint(USERS, "alice"))


async def test_remembered_tokens_are_bounded_and_the_oldest_go_first(jwks: Path) -> None:
    verifier = TokenVerifier(KeySet(str(jwks)), cache_size=2)
    tokens = [mint(USERS, name) for name in ("a", "b", "c")]
    for token in tokens[:2]:
        await verifier.verify(token)
    verifier.remembered(tokens[0])
    await verifier.verify(tokens[2])
    assert [verifier.remembered(token) is not None for token in tokens] == [True, False, True]


class _Counting(SimpleHTTPRequestHandler):
    requests = 0

    def do_GET(self) -> None:
        type(self).requests += 1
        super().do_GET()

    def log_message(self, *_: object) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Keeps the test's output quiet."""


@contextmanager
def web_server(folder: Path) -> Generator[tuple[str, type[_Counting]]]:
    handler = type("Handler", (_Counting,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=os.fspath(folder)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/jwks.json", handler
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


async def test_keys_are_fetched_over_http_and_invented_kids_do_not_flood_their_server(jwks: Path) -> None:
    with web_server(jwks.parent) as (url, handler):
        verifier = TokenVerifier(KeySet(url))
        assert (await verifier.verify(mint(USERS, "alice"))).id == "user:alice"
        stranger = generate_key("stranger")
        results = await asyncio.gather(
            *(verifier.verify(mint(stranger, f"user {n}")) for n in range(20)), return_exceptions=True
        )
        assert all(isinstance(result, TokenInvalid) for result in results)
        assert handler.requests == 1


async def test_an_unknown_kid_is_looked_for_over_http(jwks: Path) -> None:
    with web_server(jwks.parent) as (url, handler):
        verifier = TokenVerifier(KeySet(url, miss_interval=0.0))
        await verifier.verify(mint(USERS, "alice"))
        fresh = generate_key("service:newcomer")
        publish(jwks, USERS, fresh)
        assert (await verifier.verify(mint(fresh, "service:newcomer"))).id == "service:newcomer"
        assert handler.requests == 2


async def test_a_services_tokens_are_kept_and_renewed_before_they_expire(
    tmp_path: Path, verifier: TokenVerifier
) -> None:
    path = tmp_path / "key.json"
    path.write_text(json.dumps(WORKER))
    tokens = ServiceTokens(path)
    assert tokens.principal_id == "service:arq_worker"
    assert tokens.authorization() is tokens.authorization()
    scheme, token = tokens.authorization().split()
    assert scheme == "Bearer"
    assert (await verifier.verify(token)).id == "service:arq_worker"
    short_lived = ServiceTokens(path, lifetime=61.0)
    first = short_lived.authorization()
    deadline = time.monotonic() + 5
    while short_lived.authorization() == first:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)


@pytest.mark.parametrize("content", ["", "[]", "{}", json.dumps(public_jwks([WORKER])["keys"][0])])
def test_a_key_file_without_a_private_key_is_refused_without_showing_it(tmp_path: Path, content: str) -> None:
    path = tmp_path / "key.json"
    path.write_text(content)
    with pytest.raises(KeysUnavailable, match=r"key\.json"):
        load_key(path)


def test_a_users_key_cannot_speak_for_a_service(tmp_path: Path) -> None:
    path = tmp_path / "key.json"
    path.write_text(json.dumps(USERS))
    with pytest.raises(KeysUnavailable, match="not the key of a service"):
        ServiceTokens(path)


def test_the_public_set_holds_no_private_member() -> None:
    assert all(set(key) == {"kty", "crv", "use", "alg", "kid", "x"} for key in public_jwks([USERS, WORKER])["keys"])
