"""Every setting, from the models: its key path, its type, its default and its documentation."""

import ast
import inspect
import sys
from collections.abc import Iterator
from functools import cache
from typing import Literal, NamedTuple, get_args, get_origin

from pydantic import BaseModel, SecretBytes, SecretStr
from pydantic.fields import FieldInfo

from .problems import Key, dotted, nearest
from .section import Form, Secret, Takes
from .units import Between, Quantity


class Setting(NamedTuple):
    """One setting that holds a value, not a group."""

    key: Key
    field: FieldInfo
    text: str
    """Its documentation."""

    @property
    def takes(self) -> Takes:
        """What brings a change of it into effect."""
        return takes(self.field)


def takes(field: FieldInfo) -> Takes:
    return next(each for each in field.metadata if isinstance(each, Takes))


def is_secret(field: FieldInfo) -> bool:
    """Whether nobody may be shown the value."""
    marked = any(each is Secret or isinstance(each, Secret) for each in field.metadata)
    types = (field.annotation, *get_args(field.annotation))
    return marked or bool({SecretStr, SecretBytes} & set(types))


def section_of(field: FieldInfo) -> type[BaseModel] | None:
    """The model of a group of settings, or of the entries of a list of groups."""
    candidates = (field.annotation, *get_args(field.annotation))
    return next((each for each in candidates if isinstance(each, type) and issubclass(each, BaseModel)), None)


def is_group(field: FieldInfo) -> bool:
    return isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)


def is_text(field: FieldInfo) -> bool:
    """Whether a value is taken as it stands from the environment, and not read as YAML."""
    quantity = any(isinstance(each, Quantity) for each in field.metadata)
    listed = getattr(field.annotation, "__origin__", None) is tuple
    return quantity or not (field.annotation in (bool, int, float) or listed or is_group(field))


def model_at(model: type[BaseModel], key: Key) -> type[BaseModel] | None:
    """The model of the group at a key path, if there is one."""
    current: type[BaseModel] | None = model
    listed = False
    for part in key:
        if isinstance(part, int) is not listed or current is None:
            return None
        listed = False
        if isinstance(part, str):
            field = current.model_fields.get(part)
            current = section_of(field) if field else None
            listed = field is not None and not is_group(field)
    return None if listed else current


def field_at(model: type[BaseModel], key: Key) -> FieldInfo | None:
    """The setting or group at a key path, if there is one."""
    owner = model_at(model, key[:-1])
    return owner.model_fields.get(str(key[-1])) if owner and key else None


def sections(model: type[BaseModel], key: Key = ()) -> Iterator[tuple[Key, type[BaseModel]]]:
    """Every group of settings with its key path, outer ones first."""
    yield key, model
    for name, field in model.model_fields.items():
        inner = section_of(field)
        if inner is not None and is_group(field):
            yield from sections(inner, (*key, name))


def models(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """A model and all in it, groups and entries of lists, outer ones first, each as often as it is used."""
    yield model
    for inner in filter(None, map(section_of, model.model_fields.values())):
        yield from models(inner)


def settings(model: type[BaseModel]) -> Iterator[Setting]:
    """Every setting that holds a value, in the order of the file."""
    for key, section in sections(model):
        yield from own_settings(section, key)


def own_settings(section: type[BaseModel], key: Key) -> Iterator[Setting]:
    """The settings of one group, without those of groups in it."""
    texts = documentation(section)
    for name, field in section.model_fields.items():
        if not is_group(field):
            yield Setting((*key, name), field, texts.get(name, ""))


@cache
def documentation(model: type[BaseModel]) -> dict[str, str]:
    """The text under each setting of a model in its source, inherited ones too, as one line each."""
    texts: dict[str, str] = {}
    for base in reversed(model.__mro__):
        if issubclass(base, BaseModel) and base is not BaseModel:
            texts |= attribute_docstrings(base.__module__).get(base.__name__, {})
    return texts


@cache
def attribute_docstrings(module: str) -> dict[str, dict[str, str]]:
    """Class name to attribute name to the string that follows the attribute (PEP 257)."""
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    return {each.name: dict(docstrings(each)) for each in tree.body if isinstance(each, ast.ClassDef)}


def docstrings(node: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for statement, after in zip(node.body, node.body[1:], strict=False):
        match statement, after:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                yield name, " ".join(text.split())


def form(field: FieldInfo) -> str:
    """How a value is written, in words: `duration, 100ms to 1h`."""
    named = [each.text for each in field.metadata if isinstance(each, Form)]
    quantity = [each.name for each in field.metadata if isinstance(each, Quantity)]
    bounds = [str(each) for each in field.metadata if isinstance(each, Between)]
    return ", ".join([*(named or quantity or [type_form(field.annotation)]), *bounds])


def type_form(annotation: object) -> str:
    arguments = get_args(annotation)
    if get_origin(annotation) is Literal:
        return "one of " + ", ".join(map(str, arguments))
    if get_origin(annotation) is tuple:
        return f"list of {arguments[0].__name__}"
    if bool in (annotation, *arguments):
        return "true or false"
    return "number" if {int, float} & {annotation, *arguments} else "text"


def unknown(model: type[BaseModel], key: Key) -> str:
    """What to say of a setting that does not exist."""
    name = str(key[-1])
    group = model_at(model, key[:-1])
    known = list(group.model_fields) if group else []
    elsewhere = [dotted(setting.key) for setting in settings(model) if setting.key[-1] == name]
    meant = elsewhere[0] if elsewhere else nearest(name, known)
    if meant:
        return f"unknown setting, did you mean {meant}?"
    return f"unknown setting, expected one of {', '.join(known)}" if known else "unknown setting"
