"""How an operation is declared: by its address, the right that it needs, and everything that it may answer."""

from collections.abc import Callable, Mapping
from functools import wraps
from http import HTTPStatus
from typing import Any, Concatenate, ParamSpec, TypeVar, get_type_hints

from django.http import HttpRequest
from ninja import Router
from ninja.params.models import QueryModel
from pydantic import BaseModel

from atlas.access import Right
from atlas.api import FieldProblem, Problem
from atlas_web.api.authentication import Bearer, Session
from atlas_web.api.problems import RequestError

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
View = Callable[Concatenate[HttpRequest, Arguments], Result]

ALWAYS = (HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.UNPROCESSABLE_ENTITY)
"""What every operation may answer: malformed, not signed in, not allowed, a parameter that it does not have."""
STORE_FAULT = HTTPStatus.SERVICE_UNAVAILABLE
_OF_PLACES = (HTTPStatus.NOT_FOUND,)
_OF_READING = (HTTPStatus.PRECONDITION_FAILED,)


class Operations:
    """The operations on one subject."""

    def __init__(self, subject: str) -> None:
        self.router = Router(tags=[subject])

    def declare(
        self,
        method: str,
        path: str,
        right: Right,
        answers: Mapping[int, Any],
        *faults: int,
        extra: Mapping[str, Any] | None = None,
    ) -> Callable[[View[Arguments, Result]], View[Arguments, Result]]:
        """A view's decorator.

        Args:
            method: such as "GET".
            path: below the API's root.
            right: what the caller has to hold.
            answers: the document of each status that is no fault, None where there is no body; and of faults that are
                told in another document than others.
            faults: the statuses of faults besides those that any operation may have.
            extra: more for the OpenAPI document.
        """
        wrong = {*ALWAYS, *faults, *(_OF_PLACES if "{" in path else ()), *(_OF_READING if method == "GET" else ())}
        unchanged = {304: None} if method == "GET" else {}
        responses = {**unchanged, **{int(status): Problem for status in sorted(wrong)}, **answers}

        def declared(view: View[Arguments, Result]) -> View[Arguments, Result]:
            strict = _strict(view)
            self.router.api_operation(
                [method],
                path,
                auth=[Bearer(right), Session(right)],
                response=responses,
                operation_id=view.__name__,
                summary=view.__name__.replace("_", " ").capitalize(),
                openapi_extra={"x-right": right.value, **(extra or {})},
            )(strict)
            return strict

        return declared


def _strict(view: View[Arguments, Result]) -> View[Arguments, Result]:
    """A view that refuses parameters which it does not have: a misspelt filter would be passed over otherwise."""
    names = parameters_of(view)

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        unknown = sorted(set(request.GET) - names)
        if unknown:
            have = f"it has {', '.join(sorted(names))}" if names else "it has none"
            message = f"This operation has no such parameter; {have}."
            raise RequestError(
                f"Unknown parameters: {', '.join(unknown)}.",
                [FieldProblem(field=name, message=message) for name in unknown],
            )
        return view(request, *args, **kwargs)

    return guarded


def parameters_of(view: Callable[..., Any]) -> frozenset[str]:
    """The names of a view's query parameters."""
    names: set[str] = set()
    for name, hint in get_type_hints(view, include_extras=True).items():
        if any(_is_query(each) for each in getattr(hint, "__metadata__", ())):
            kind = hint.__origin__
            is_group = isinstance(kind, type) and issubclass(kind, BaseModel)
            names |= set(kind.model_fields) if is_group else {name}
    return frozenset(names)


def _is_query(annotation: Any) -> bool:
    return getattr(annotation, "_model", None) is QueryModel
