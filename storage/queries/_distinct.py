"""The different values of an indexed column, of which there are few in many rows."""

from django.db import connection
from django.db.models import Model

_QUERY = """
    WITH RECURSIVE found (value) AS (
        SELECT min({column}) FROM {table} WHERE {condition}
        UNION ALL
        SELECT (SELECT min({column}) FROM {table} WHERE {condition} AND {column} > found.value)
            FROM found WHERE value IS NOT NULL
    ) SELECT value FROM found WHERE value IS NOT NULL
    """


def each_once(table: type[Model], field: str, condition: str = "1 = 1") -> list[str]:
    """Each value of a field once, in order.

    It looks in the index for the smallest value, then for the smallest that is larger, and so on, where `DISTINCT`
    would read all rows.

    Args:
        table: whose field it is.
        field: a field of text that an index begins with.
        condition: which rows count, as SQL; that of the index, if it has one.
    """
    columns = {each.name: each.column for each in table._meta.fields}
    name = connection.ops.quote_name
    names = {"column": name(str(columns[field])), "table": name(table._meta.db_table)}
    with connection.cursor() as cursor:
        cursor.execute(_QUERY.format(**names, condition=condition))
        return [value for (value,) in cursor.fetchall()]
