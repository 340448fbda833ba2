"""A configuration while it is put together: file, then environment, then flags, each value with its place."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .fields import field_at, is_text, model_at, sections, unknown
from .library import DEFAULT as BOARDS
from .library import FOUND, find, is_built_in, open_board, own_board
from .present import present
from .problems import Key, Place, Problem, dotted, shown
from .reader import HALF, Document, Written, read
from .secrets import SecretError, elsewhere, judge, secrets
from .secrets import read as read_secret
from .section import Switch
from .settings import Settings

DEFAULT = Place("default")


class Draft:
    """Values that are not checked yet."""

    def __init__(self, document: Document, folder: Path) -> None:
        self.data: dict[str, Any] = document.data if isinstance(document.data, dict) else {}
        self.places = document.places
        self.problems = document.problems
        self.folder = folder
        """What the paths of boards are relative to."""
        self.boards: set[Key] = set()
        """Key paths of the boards that stand in files of their own."""
        self.files: list[Path] = []
        """Of those boards, and of secrets."""
        self.settled: set[Key] = set(document.refused)
        """Key paths of values about which there is nothing more to say."""

    def place(self, key: Key) -> Written:
        """Where a value stands, or the nearest group around it that does."""
        while key not in self.places and key:
            key = key[:-1]
        return self.places.get(key, Written(DEFAULT, DEFAULT))

    def complain(self, place: Place, key: Key, text: str) -> None:
        """Note a problem, with its key path below the file that it stands in."""
        path = dotted(key[2:] if key[:2] in self.boards else key)
        self.problems.append(Problem(place, path, text))

    def is_settled(self, key: Key) -> bool:
        return any(key[:length] in self.settled for length in range(1, len(key) + 1))

    def drop(self, key: Key) -> bool:
        """Take out a value, or the list that it stands in.  Says whether there was anything."""
        while key and not isinstance(key[-1], str):
            key = key[:-1]
        group: Any = self.data
        for part in key[:-1]:
            if isinstance(group, list):
                group = group[int(part)]
            elif isinstance(group, dict):
                group = group.get(str(part))
        self.settled.add(key)
        return bool(key) and isinstance(group, dict) and group.pop(str(key[-1]), group) is not group

    def override(self, key: Key, text: str, name: str) -> None:
        """Set one value from a text that stands outside the file, in the variable or flag `name`."""
        place = Place(name)
        model = model_at(Settings, key)
        if model is not None and issubclass(model, Switch):
            key = (*key, "enabled")
        field = field_at(Settings, key)
        if field is None:
            self.complain(place, key, unknown(Settings, key))
        elif HALF.search(text):
            self.complain(place, key, "found bytes that are no UTF-8, expected text")
        elif is_text(field):
            self.put(key, text, place)
        else:
            document = read(text, name)
            self.problems += [Problem(place, dotted(key), problem.text) for problem in document.problems]
            if document.problems:
                self.settled.add(key)
            self.put(key, document.data, place)

    def put(self, key: Key, value: Any, place: Place) -> None:
        """Set a value, unless what is around it is no group: that has to be solved first."""
        group = self.data
        for index, part in enumerate(map(str, key[:-1]), 1):
            self.expand(group, key[:index])
            if group.get(part) is None:
                group[part] = {}
            group = group[part]
            if not isinstance(group, dict):
                return
        group[str(key[-1])] = value
        for old in [each for each in self.places if each[: len(key)] == key]:
            del self.places[old]
        self.places[key] = Written(place, place)

    def expand(self, group: dict[str, Any], key: Key) -> None:
        """Write the `true` or `false` that stands for a switch, the last of the key path, in full."""
        name = str(key[-1])
        if isinstance(group.get(name), bool):
            group[name] = {"enabled": group[name]}
            self.places[(*key, "enabled")] = self.place(key)

    def expand_switches(self) -> None:
        for key, model in sections(Settings):
            group = self.data
            for part in key[:-1]:
                inner = group.get(str(part))
                group = inner if isinstance(inner, dict) else {}
            if issubclass(model, Switch):
                self.expand(group, key)

    def include_boards(self) -> None:
        """Put the boards that are named in the place of their names."""
        listed = self.data.setdefault("boards", [*BOARDS])
        if not isinstance(listed, list):
            return
        if FOUND in listed:
            self.find_boards(listed)
        for index, name in enumerate(listed):
            if isinstance(name, str):
                self.include(index, name)

    def find_boards(self, listed: list[Any]) -> None:
        """Put the boards of what is on this host in the place of the word for them."""
        index = listed.index(FOUND)
        if index < len(listed) - 1:
            key: Key = ("boards", index)
            text = f"found {shown(FOUND)}, expected it as the last of the list"
            self.complain(self.place(key).value, key, text)
        named = [each for each in listed if each != FOUND]
        listed[index:] = [name for name in present(self.data.get("collect")) if name not in named]

    def include(self, index: int, name: str) -> None:
        key: Key = ("boards", index)
        found = find(name, self.folder)
        if isinstance(found, str):
            self.complain(self.place(key).value, key, f"found {shown(name)}, expected {found}")
            self.settled.add(key)
            return
        if is_built_in(found):
            self.data["boards"][index] = own_board(found)
            return
        self.files.append(found)
        document = open_board(found)
        self.boards.add(key)
        self.problems += document.problems
        self.settled |= {(*key, *inner) for inner in document.refused}
        if document.data is None:
            self.settled.add(key)
        self.places.update({(*key, *inner): written for inner, written in document.places.items()})
        self.data["boards"][index] = document.data

    def include_secrets(self, environ: Mapping[str, str]) -> None:
        """Put the secrets that stand in files of their own in the place of the names of those files.

        The file that has one itself is judged; of several the first is named.
        """
        judged: set[str] = set()
        for key, text in secrets(self.data):
            place = self.place(key).value
            try:
                path = elsewhere(text, self.folder, environ)
                if path is not None:
                    self.files.append(path)
                    self.replace(key, read_secret(path))
                elif place.line and place.name not in judged:
                    judged.add(place.name)
                    judge(Path(place.name))
            except SecretError as error:
                self.complain(place, key, str(error))
                self.settled.add(key)

    def replace(self, key: Key, value: str) -> None:
        """Put another value in the place of one that is there."""
        group: Any = self.data
        for part in key[:-1]:
            group = group[part]
        group[key[-1]] = value
