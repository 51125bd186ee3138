"""The keys that sign ID tokens."""

import base64
import secrets
from functools import cached_property
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

BITS = 2048


class SigningKey:
    """An RSA key, made when it is first needed."""

    def __init__(self) -> None:
        self.kid = secrets.token_hex(20)

    @cached_property
    def private(self) -> rsa.RSAPrivateKey:
        return rsa.generate_private_key(public_exponent=65_537, key_size=BITS)

    def shown(self) -> dict[str, Any]:
        numbers = self.private.public_key().public_numbers()
        return {
            "kty": "RSA",
            "use": "sig",
            "alg": "RS256",
            "kid": self.kid,
            "n": base64_of(numbers.n),
            "e": base64_of(numbers.e),
        }

    def sign(self, claims: dict[str, Any], **header: Any) -> str:
        return jwt.encode(claims, self.private, algorithm="RS256", headers={"kid": self.kid, **header})


class KeyRing:
    """The key in use, and the one before it: after a rotation both are shown, as tokens of the old one are about."""

    def __init__(self) -> None:
        self.keys = [SigningKey()]

    @property
    def current(self) -> SigningKey:
        return self.keys[0]

    def rotate(self) -> None:
        self.keys = [SigningKey(), self.keys[0]]

    def shown(self) -> list[dict[str, Any]]:
        return [key.shown() for key in self.keys]


def base64_of(number: int) -> str:
    data = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
