"""Who is calling, and who this service is: JSON Web Tokens signed by keys of a JWK Set.

What a principal may do is decided by the policy of each rpc, not here.

    Unauthenticated
    ├── TokenMissing   the rpc needs a token and none was sent
    ├── TokenExpired   the token was good once
    └── TokenInvalid   anything else
"""

from mesh.identity.keys import Jwk, KeySet, KeysUnavailable, generate_key, load_key, public_jwks
from mesh.identity.tokens import AUDIENCE, ServiceTokens, TokenExpired, TokenInvalid, TokenMissing, mint
from mesh.identity.verifier import TokenVerifier

__all__ = [
    "AUDIENCE",
    "Jwk",
    "KeySet",
    "KeysUnavailable",
    "ServiceTokens",
    "TokenExpired",
    "TokenInvalid",
    "TokenMissing",
    "TokenVerifier",
    "generate_key",
    "load_key",
    "mint",
    "public_jwks",
]
