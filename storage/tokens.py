"""The secrets of API tokens: how they look, and what the tables keep of them."""

import hashlib
import secrets

PREFIX = "atlas_"
"""What every secret starts with, so that people and scanners of leaked secrets know it when they see one."""
SHOWN_CHARACTERS = 12
"""How much of a secret its owner still sees later."""
_RANDOM_BYTES = 32


def new_secret() -> str:
    """A secret that nobody can guess: 256 random bits."""
    return PREFIX + secrets.token_urlsafe(_RANDOM_BYTES)


def digest_of(secret: str) -> str:
    """What is kept of a secret. One round of SHA-256 is enough, as a secret is random and no word to try."""
    return hashlib.sha256(secret.encode()).hexdigest()
