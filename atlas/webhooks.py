"""What Atlas sends to webhooks, and how it is signed.

An ingestion engine announces new dataset versions, and benchmark engines receive that. A benchmark engine sends alerts
to whoever a channel names.
"""

import hashlib
import hmac
from datetime import datetime

from pydantic import ConfigDict

from atlas.vocabulary import Document, Name
from atlas.watching import AlertKind, News

PATH = "/events/dataset-version"
SIGNATURE_HEADER = "X-Atlas-Signature"
TIMESTAMP_HEADER = "X-Atlas-Timestamp"
DELIVERY_HEADER = "X-Atlas-Delivery"


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


def dated(body: bytes, timestamp: int) -> bytes:
    """What the signature of an alert is made of: the seconds of the header `X-Atlas-Timestamp`, a full stop, the body.

    A receiver that refuses old timestamps is safe from messages that somebody recorded and sends again.
    """
    return f"{timestamp}.".encode() + body


class AlertNews(Document):
    """An alert began, or is over; or a person tries whether messages arrive.

    Attributes:
        schema_version: of this form.
        id: names this message; one that comes twice, because the engine died when it had just been sent, has it twice.
        news: whether the alert began or is over, or that this is a test, which is about no alert.
        kind: what the rule looked at; None of a test.
        text, why: what happened, in one line, and how that is known.
        model, dataset, version, metric, component: what it is about; empty and None where it is about none.
        opened, recovered: when it was seen and when it was over; None while that is not known.
        link: where a person reads on.
    """

    schema_version: int = 1
    id: str
    news: News
    kind: AlertKind | None = None
    text: str
    why: str
    model: str = ""
    dataset: str = ""
    version: int | None = None
    metric: str = ""
    component: str = ""
    opened: datetime | None = None
    recovered: datetime | None = None
    link: str
