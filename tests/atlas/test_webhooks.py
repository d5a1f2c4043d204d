"""The signature that any sender can make."""

import pytest
from pydantic import ValidationError

from atlas.webhooks import NewVersion, is_signed, signature

BODY = b'{"tag": "impacts"}'


def test_the_signature_is_the_one_that_openssl_makes() -> None:
    # printf '{"tag": "impacts"}' | openssl dgst -sha256 -hmac hush
    expected = "sha256=120229d2d93a9ede039908ea59602438f2db9c17809b032346f4dda93e2fd559"
    assert signature(BODY, "hush") == expected
    assert is_signed(BODY, "hush", expected)


@pytest.mark.parametrize("claimed", ["", "sha256=", "sha256=é", signature(BODY, "other"), signature(b"", "hush")])
def test_another_signature_is_not_taken(claimed: str) -> None:
    assert not is_signed(BODY, "hush", claimed)


def test_fields_that_a_sender_adds_are_ignored_but_a_tag_must_be_a_name() -> None:
    assert NewVersion.model_validate_json('{"tag": "impacts", "query_id": "impacts-v1"}').tag == "impacts"
    with pytest.raises(ValidationError):
        NewVersion.model_validate_json('{"tag": "../impacts"}')
