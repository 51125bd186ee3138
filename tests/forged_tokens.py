"""Tokens of every wrong kind, made by somebody who even knows the key."""

import time
from collections.abc import Mapping
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa


class Mint:
    """Makes tokens like a genuine one, but for what is changed."""

    def __init__(self, secret_key: str, genuine: str) -> None:
        self._secret = secret_key
        self._header = jwt.get_unverified_header(genuine)
        self._claims = jwt.decode(genuine, options={"verify_signature": False})

    def __call__(
        self,
        claims: Mapping[str, Any] | None = None,
        *,
        header: Mapping[str, Any] | None = None,
        without: str = "",
        key: Any = None,
        algorithm: str = "HS256",
    ) -> str:
        merged = {name: value for name, value in {**self._claims, **(claims or {})}.items() if name != without}
        headers = {**self._header, **(header or {}), "alg": algorithm}
        return jwt.encode(merged, self._secret if key is None else key, algorithm=algorithm, headers=headers)


def wrong_kinds(mint: Mint, genuine: str, *, subject: str) -> dict[str, str]:
    rsa_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    head, body, signature = genuine.split(".")
    now = int(time.time())
    return {
        "unsigned": mint(algorithm="none", key=""),
        "signature cut off": f"{head}.{body}.",
        "signature of another body": f"{head}.{mint({'jti': 'other'}).split('.')[1]}.{signature}",
        "another key": mint(key="another key, which is long enough for HS256"),
        "another algorithm of ours": mint(algorithm="HS384"),
        "RS256": mint(key=rsa_key, algorithm="RS256"),
        "expired": mint({"iat": now - 900, "exp": now - 60}),
        "no exp": mint(without="exp"),
        "no jti": mint(without="jti"),
        "no audience": mint(without="aud"),
        "no session": mint(without="sid"),
        "nobody's": mint(without=subject),
        "exp is no number": mint({"exp": "tomorrow"}),
        "another audience": mint({"aud": "another-api"}),
        "another issuer": mint({"iss": "https://evil.example"}),
        "another type": mint(header={"typ": "JWT"}),
        "no type": mint(header={"typ": None}),
        "a strange kid": mint(header={"kid": "../../etc/passwd"}),
        "a session that is not": mint({"sid": 2**62}),
        "a session beyond every id": mint({"sid": 2**80}),
        "a session that is text": mint({"sid": "1"}),
        "not a token": "nonsense",
        "dots": "...",
        "nothing": "",
        "a hundred kilobytes": genuine + "x" * 100_000,
    }
