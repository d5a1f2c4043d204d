"""Lists: order, pages, page size, search and empty states, as the server answers them."""

import re
from typing import Any

import django_filters
import django_tables2 as tables
import pytest
from django.contrib.auth.models import Group, User
from django.db.models import Case, CharField, IntegerField, Value, When
from django.test import Client
from django.urls import path
from pytest_django import DjangoAssertNumQueries

from ui.tables import AtlasTable, Column, Rows, cell
from ui.views import TableView

PAGE = "ui/table.html"


class GroupFilter(django_filters.FilterSet):  # type: ignore[misc]  # an untyped package
    q = django_filters.CharFilter(field_name="name", lookup_expr="icontains")

    class Meta:
        model = Group
        fields = ("q",)


class GroupTable(AtlasTable):
    noun = ("model", "models")
    name = tables.Column(verbose_name="Model")
    id = tables.Column(verbose_name="Number", attrs=cell("num", above="md"), orderable=False)

    class Meta(AtlasTable.Meta):
        empty_text = "Train one."


class GroupList(TableView):
    template_name = PAGE
    table_class = GroupTable
    filterset_class = GroupFilter
    queryset = Group.objects.filter(name__startswith="Forest").order_by("-id")


class ScoreTable(AtlasTable):
    name = Column("Model", by=["name"])
    score = Column("Score", "num", by=["score"], above="md")
    note = Column("Note")

    def render_note(self, value: str | None) -> str:
        return f"note {value}"


class ScoreList(GroupList):
    table_class = ScoreTable
    queryset = Group.objects.filter(name__startswith="Forest").annotate(
        score=Case(
            When(name="Forest-003", then=None), When(name="Forest-000", then=9), default=5, output_field=IntegerField()
        ),
        note=Value(None, output_field=CharField()),
    )


urlpatterns = [
    path("models/", GroupList.as_view(), name="models"),
    path("scores/", ScoreList.as_view(), name="scores"),
]
pytestmark = [pytest.mark.urls(__name__), pytest.mark.django_db]


@pytest.fixture
def reader(client: Client) -> Client:
    client.force_login(User.objects.create_user("ilse"))
    return client


@pytest.fixture
def models() -> None:
    Group.objects.bulk_create(Group(name=f"Forest-{number:03}") for number in range(130))


def names(html: str) -> list[str]:
    return re.findall(r'<th scope="row"[^>]*>([^<]*)', html)


def get(client: Client, query: str = "", **headers: Any) -> str:
    return client.get(f"/models/?{query}", headers=headers).content.decode()


@pytest.mark.usefixtures("models")
def test_a_list_starts_with_its_smallest_page(reader: Client) -> None:
    html = get(reader)
    assert len(names(html)) == 25
    assert "1&ndash;25 of 130 models" in html


@pytest.mark.usefixtures("models")
def test_order_size_page_and_search_work_together_without_a_script(reader: Client) -> None:
    html = get(reader, "q=Forest-0&sort=-name&per_page=50&page=2")
    assert names(html)[0] == "Forest-049"
    assert "51&ndash;100 of 100 models" in html
    assert 'href="?q=Forest-0&amp;sort=name&amp;per_page=50"' in html
    assert 'href="?q=Forest-0&amp;sort=-name&amp;per_page=50&amp;page=1"' in html


@pytest.mark.parametrize("size", ["1000000", "0", "-1", "many"])
@pytest.mark.usefixtures("models")
def test_a_page_size_that_is_not_offered_is_ignored(reader: Client, size: str) -> None:
    assert len(names(get(reader, f"per_page={size}"))) == 25


@pytest.mark.usefixtures("models")
def test_a_page_beyond_the_last_is_the_last(reader: Client) -> None:
    assert "126&ndash;130 of 130 models" in get(reader, "page=99")


@pytest.mark.usefixtures("models")
def test_the_sorted_column_says_so(reader: Client) -> None:
    assert 'aria-sort="descending"' in get(reader, "sort=-name")
    assert 'aria-sort="ascending"' in get(reader, "sort=name")
    assert "aria-sort" not in get(reader)


@pytest.mark.usefixtures("models")
def test_a_search_keeps_order_and_size_but_not_the_page(reader: Client) -> None:
    html = get(reader, "sort=name&per_page=50&page=2")
    carried = re.findall(r'name="(\w+)" value="(\w+)" form="table-filters"', html)
    assert carried == [("sort", "name"), ("per_page", "50")]


@pytest.mark.usefixtures("models")
def test_columns_may_hide_on_narrow_screens(reader: Client) -> None:
    assert get(reader).count('class="d-md-table-cell d-none num"') == 26


def test_a_single_row_is_counted_in_the_singular_and_needs_no_pages(reader: Client) -> None:
    Group.objects.create(name="Forest")
    html = get(reader)
    assert "1&ndash;1 of 1 model<" in html
    assert "pagination" not in html
    assert "<select" not in html


def test_a_list_of_nothing_says_what_to_do(reader: Client) -> None:
    html = get(reader)
    assert "No models yet" in html
    assert "Train one." in html


@pytest.mark.usefixtures("models")
def test_a_search_that_finds_nothing_can_be_cleared(reader: Client) -> None:
    html = get(reader, "q=oak&sort=name")
    assert "No model matches" in html
    assert 'href="/models/?clear="' in html


@pytest.mark.usefixtures("models")
def test_htmx_gets_the_table_alone(reader: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GroupList, "template_name", "ui/base.html")
    assert "<!doctype html>" in get(reader)
    fragment = get(reader, **{"HX-Request": "true"})
    assert fragment.lstrip().startswith('<div id="table">')
    assert len(names(fragment)) == 25


@pytest.mark.parametrize(
    ("query", "order"),
    [("sort=score", ["002", "001", "000", "003"]), ("sort=-score", ["000", "002", "001", "003"])],
)
def test_what_is_not_known_comes_last_and_equal_rows_stand_newest_first(
    reader: Client, query: str, order: list[str]
) -> None:
    for number in range(4):
        Group.objects.create(name=f"Forest-{number:03}")
    html = reader.get(f"/scores/?{query}").content.decode()
    assert names(html) == [f"Forest-{number}" for number in order]


def test_a_column_sorts_only_if_it_says_by_what_and_renders_every_cell(reader: Client) -> None:
    Group.objects.create(name="Forest-000")
    html = reader.get("/scores/?sort=note").content.decode()
    assert re.findall(r'id="table-by-(\w+)"', html) == ["name", "score"]
    assert "note None" in html
    assert html.count("d-md-table-cell d-none num") == 2


# Rows that are read in two steps -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("start", "stop"), [(0, 25), (50, 75), (75, 100), (125, 150)])
def test_a_page_has_the_same_rows_from_whichever_end_it_is_counted(models: None, start: int, stop: int) -> None:
    ordered = Group.objects.filter(name__startswith="Forest").order_by("-id")
    rows = Rows(ordered, Group.objects.all(), count=130)
    assert rows[start:stop] == list(ordered)[start:stop]


def test_the_database_sorts_keys_alone_and_reads_whole_rows_of_one_page(
    models: None, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    rows = Rows(Group.objects.order_by("name"), Group.objects.prefetch_related("permissions"), count=130)
    with django_assert_num_queries(3) as captured:
        assert [group.name for group in rows[0:3]] == ["Forest-000", "Forest-001", "Forest-002"]
    keys, whole, _ = (query["sql"] for query in captured.captured_queries)
    assert '"auth_group"."name"' not in keys.partition("FROM")[0]
    assert "IN (" in whole


def test_a_row_that_was_deleted_between_both_steps_is_left_out(models: None) -> None:
    forests = Group.objects.filter(name__startswith="Forest")
    rows = Rows(forests.order_by("name"), forests.exclude(name="Forest-000"), count=130)
    assert [group.name for group in rows[0:3]] == ["Forest-001", "Forest-002"]


def test_a_cell_is_escaped_unless_it_is_safe(reader: Client) -> None:
    Group.objects.create(name="Forest-<b>")
    html = reader.get("/models/").content.decode()
    assert "Forest-&lt;b&gt;" in html
    assert "<b>" not in html
