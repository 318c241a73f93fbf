"""Who calls: people with their roles, a service, and tokens that nobody should get in with."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jwt

from mesh.identity import generate_key, load_key, mint
from stack.keys import USERS, key_path
from tests.system import System


@dataclass(frozen=True, slots=True)
class Keys:
    """Private keys of a running stack."""

    users: dict[str, str]
    service: dict[str, str]

    @classmethod
    def of(cls, system: System) -> "Keys":
        """The key of users' tokens, and that of score_maker."""
        users, service = (load_key(key_path(system.directory.keys, name)) for name in (USERS, "score_maker"))
        return cls(dict(users), dict(service))

    def of_service(self) -> str:
        """A good token, of score_maker."""
        return mint(self.service, "service:score_maker")

    def signed(self, **claims: Any) -> str:  # a claim may be anything: that is the point
        """A user's token with other claims; None leaves one out."""
        return _signed(self.users, **claims)


ROLES = {"maria": ["manager"], "olga": ["operator"]}


def token_of(system: System, name: str) -> str:
    """The token of a person, or of the service score_maker."""
    return Keys.of(system).of_service() if name == "score_maker" else system.token(name, *ROLES.get(name, []))


INVALID: dict[str, Callable[[Keys], str]] = {
    "garbage": lambda keys: "garbage",
    "nothing": lambda keys: "",
    "signed by a stranger under a known key's name": lambda keys: mint(generate_key(USERS), "alice"),
    "signed by an unknown key": lambda keys: mint(generate_key("somebody"), "alice"),
    "expired, and forged": lambda keys: _signed(generate_key(USERS), exp=1),
    "with its claims changed": lambda keys: _with_claims(keys.signed(), roles=["manager"]),
    "without its signature": lambda keys: keys.signed().rpartition(".")[0] + ".",
    "with alg none": lambda keys: f"{_encoded({'alg': 'none', 'kid': USERS})}.{_encoded(_claims())}.",
    "with the public key as a shared secret": lambda keys: _signed_with_the_public_key(keys.users),
    "for another audience": lambda keys: keys.signed(aud="elsewhere"),
    "for no audience": lambda keys: keys.signed(aud=None),
    "without an end": lambda keys: keys.signed(exp=None),
    "of nobody": lambda keys: keys.signed(sub=""),
    "of a user with a NUL": lambda keys: keys.signed(sub="alice\0"),
    "of a user who is half a surrogate pair": lambda keys: keys.signed(sub="\ud800"),
    "of a service, signed by the users' key": lambda keys: keys.signed(sub="service:arq_worker"),
    "of a user, signed by a service's key": lambda keys: mint(keys.service, "alice", ["manager"]),
    "of another service": lambda keys: mint(keys.service, "service:arq_worker"),
    "with roles that are no list": lambda keys: keys.signed(roles="manager"),
}


def _claims(**others: Any) -> dict[str, Any]:
    claims = {"sub": "alice", "aud": "sagamesh", "exp": int(time.time()) + 60, **others}
    return {name: value for name, value in claims.items() if value is not None}


def _signed(key: dict[str, str], **claims: Any) -> str:
    private = jwt.PyJWK(key)
    return jwt.encode(_claims(**claims), private.key, algorithm="EdDSA", headers={"kid": key["kid"]})


def _with_claims(token: str, **claims: Any) -> str:
    header, _, signature = token.split(".")
    return f"{header}.{_encoded(_claims(**claims))}.{signature}"


def _signed_with_the_public_key(key: dict[str, str]) -> str:
    """The attack on verifiers that let the header choose the algorithm."""
    text = f"{_encoded({'alg': 'HS256', 'kid': key['kid']})}.{_encoded(_claims())}"
    secret = base64.urlsafe_b64decode(key["x"] + "=")
    return f"{text}.{_encoded(hmac.digest(secret, text.encode(), hashlib.sha256))}"


def _encoded(part: Any) -> str:
    content = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
