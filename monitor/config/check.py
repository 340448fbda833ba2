"""A draft against the models: the settings, or everything that is wrong with it.

pydantic judges two settings against each other only where each is right by itself.  So values that are
reported are taken out and the rest is judged again, until nothing new is said.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from .draft import Draft
from .fields import field_at, is_secret, model_at, unknown
from .problems import ConfigError, Key, Problem, nearest, parts, shown
from .section import Switch
from .settings import Settings

EXPECTED = {
    "bool_type": "true or false",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "string_type": "text (write numbers, true and false in quotes)",
    "tuple_type": "a list such as [one, two]",
    "too_short": "at least one entry",
}
"""What was expected, by pydantic's type of error."""


Judge: TypeAlias = Callable[[str], str | None]
"""What is wrong with a query, in words; None where nothing is."""


def check(draft: Draft, judge: Judge | None = None) -> Settings:
    """The settings.  Raises ConfigError with all problems, those noted in the draft already included."""
    context = {"written": True, "judge": judge}
    while True:
        try:
            settings = Settings.model_validate(draft.data, context=context)
        except ValidationError as error:
            if reduced(draft, error.errors(include_url=False)):
                continue
            raise ConfigError(in_order(draft)) from None
        if draft.problems:
            raise ConfigError(in_order(draft))
        return settings


def in_order(draft: Draft) -> list[Problem]:
    """The problems in the order of the file, then those of boards, then those of environment and flags."""
    main = draft.places[()].key.name if () in draft.places else ""

    def rank(problem: Problem) -> tuple[bool, bool, str, int, int]:
        name, line, column = problem.place
        return (line == 0, name != main, name, line, column)

    return sorted(dict.fromkeys(draft.problems), key=rank)


def reduced(draft: Draft, errors: list[ErrorDetails]) -> bool:
    """Note the errors and take out what is wrong.  Says whether there was anything to take out.

    An entry of a list can only go with the whole list; that is done when nothing smaller is left to take.
    """
    wrong = [(report(draft, error), error["type"]) for error in errors]
    single = {key for key, kind in wrong if kind != "missing" and isinstance(key[-1], str)}
    rest = {key for key, _ in wrong} - single
    return sum(map(draft.drop, single)) > 0 or sum(map(draft.drop, rest)) > 0


def report(draft: Draft, error: ErrorDetails) -> Key:
    """Note one error, and give the key path of what is wrong."""
    key: Key = error["loc"]
    if error["type"] == "conflict":
        return report_conflict(draft, key, error["ctx"])
    # pydantic counts only the entries that are right.
    miscounted = error["type"] == "too_short" and error["input"]
    if not (draft.is_settled(key) or miscounted):
        place = draft.place(key)
        about_key = error["type"] in ("extra_forbidden", "missing")
        draft.complain(place.key if about_key else place.value, key, describe(key, error))
    return key[:-1] if error["type"] == "missing" else key


def report_conflict(draft: Draft, section: Key, context: dict[str, Any]) -> Key:
    """Note two settings that do not go together, at the first that is written."""
    key, other = ((*section, *parts(context[name])) for name in ("name", "other"))
    written = key if key in draft.places else other
    if not (draft.is_settled(key) or draft.is_settled(other)):
        default = "" if written == key else " (the default)"
        text = f"found {shown(context['found'])}{default}, expected {context['what']}"
        draft.complain(draft.place(written).value, key, text)
    return written


def describe(key: Key, error: ErrorDetails) -> str:
    """What was found and what was expected; of a secret only the latter."""
    found, context = error["input"], error.get("ctx", {})
    field = field_at(Settings, key)
    if field is not None and is_secret(field) and error["type"] not in ("extra_forbidden", "missing"):
        wanted = context.get("what", EXPECTED.get(error["type"], "another value"))
        return f"found a value that is not shown, expected {wanted}"
    match error["type"]:
        case "extra_forbidden":
            return unknown(Settings, key)
        case "missing":
            return "is missing, expected a value"
        case "expected":
            return f"found {shown(found)}, expected {context['what']}"
        case "literal_error":
            return f"found {shown(found)}, expected {one_of(found, context['expected'])}"
        case "model_type" | "model_attributes_type" | "dict_type":
            model = model_at(Settings, key)
            names = ", ".join(model.model_fields) if model else ""
            switch = "true, false or " if model and issubclass(model, Switch) else ""
            return f"found {shown(found)}, expected {switch}a group with the settings {names}"
    return f"found {shown(found)}, expected {EXPECTED.get(error['type'], error['msg'])}"


def one_of(found: object, allowed: str) -> str:
    """The allowed values, and the one that was probably meant; `allowed` is pydantic's `'text' or 'json'`."""
    names = allowed.replace("'", "").replace(" or ", ", ").split(", ")
    meant = nearest(str(found), names)
    return f"one of {', '.join(names)}" + (f" (did you mean {meant}?)" if meant else "")
