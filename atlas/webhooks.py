"""The message that announces a new dataset version: an ingestion engine sends it, benchmark engines receive it."""

import hashlib
import hmac

from pydantic import ConfigDict

from atlas.vocabulary import Document, Name

PATH = "/events/dataset-version"
SIGNATURE_HEADER = "X-Atlas-Signature"


class NewVersion(Document):
    """A tag has a new version. Fields that a sender adds are ignored."""

    model_config = ConfigDict(extra="ignore")

    tag: Name


def signature(body: bytes, secret: str) -> str:
    """What the header `X-Atlas-Signature` says of a body: `sha256=` and the HMAC in hexadecimal."""
    return f"sha256={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}"


def is_signed(body: bytes, secret: str, claimed: str) -> bool:
    """Whether this signature was made with the secret; comparing takes as long whatever it says."""
    return hmac.compare_digest(signature(body, secret).encode(), claimed.encode())
