"""The search language in the API."""

import pytest

from tests import stage
from tests.atlas_web.api.conftest import Script
from tests.samples import result

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("path", ["models", "benchmarks"])
def test_q_takes_plain_words_and_the_search_language(reading: Script, path: str) -> None:
    version = stage.add_version()
    stage.finish(stage.add_model("Forest-1.0.0-1"), version, result(f1=0.9))
    stage.finish(stage.add_model("Linear-1.0.0-1"), version, result(f1=0.5))
    assert reading.get(f"{path}?q=forest+prado")["total"] == 1
    assert reading.get(f"{path}?q=f1+>+0.4+and+author+~+%22prado%22")["total"] == 2
    assert reading.get(f"{path}?q=f1+>+0.8")["total"] == 1


@pytest.mark.parametrize(
    ("path", "text", "message"),
    [
        ("models", "f1 >", "Column 5: The search ends too early: expected a text in quotes"),
        ("models", "reason ~ 'x'", "Column 1: There is no field reason."),
        ("benchmarks", "state = 'finished'", "Column 9: state is one of"),
        ("benchmarks", "done > 1", "Column 1: There is no field done."),
    ],
)
def test_a_query_that_cannot_be_read_is_told_as_a_fault_of_q(
    reading: Script, path: str, text: str, message: str
) -> None:
    answer = reading("GET", f"{path}?q={text.replace(' ', '+')}")
    assert answer.status == 422
    (error,) = answer.document["errors"]
    assert error["field"] == "q"
    assert error["message"].startswith(message)
