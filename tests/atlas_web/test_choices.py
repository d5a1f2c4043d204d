"""What a person chose in the address."""

import pytest
from django.http import QueryDict

from atlas_web.choices import Choices, Part, same, select


class Fruit(Choices):
    kind = select("Kind", "All kinds", same(["apple", "pear"]))


def test_what_was_chosen_counts_and_nothing_else() -> None:
    assert Fruit({"kind": "pear"}).chosen("kind") == "pear"
    assert Fruit({}).chosen("kind") == ""
    assert Fruit({"kind": "stone"}).chosen("kind") == ""


def test_what_is_wrong_is_told_with_the_field_s_name() -> None:
    assert Fruit({"kind": "pear"}).problems == []
    assert Fruit({"kind": "stone"}).problems == [
        "Kind: Select a valid choice. stone is not one of the available choices."
    ]


@pytest.mark.parametrize(
    ("address", "part"),
    [
        ("", (1, 25, False)),
        ("page=3&per_page=100&format=csv", (3, 100, True)),
        ("page=0&per_page=7&format=exe", (1, 25, False)),
        ("page=x&per_page=x", (1, 25, False)),
    ],
)
def test_a_part_that_does_not_exist_is_the_first_one(address: str, part: tuple[int, int, bool]) -> None:
    asked = Part(QueryDict(address))
    assert (asked.number, asked.size, asked.as_csv) == part
