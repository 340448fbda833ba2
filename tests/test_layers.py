"""The shape of the house: who imports whom, no circles, and the few rules that keep it easy to walk through.

Imports inside functions and those for types alone count like all others.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from importlib.util import resolve_name
from pathlib import Path

from monitor.collect import COLLECTORS

ROOT = Path(__file__).resolve().parent.parent
HOUSE = ROOT / "monitor"
WEB = ROOT / "web" / "src"

LEAVES = {"model", "config", "telemetry", "log", "listener", "footprint", "journal", "systemd"}
"""Rooms that any room may import."""

ROOMS: dict[str, set[str]] = {
    "access": set(),
    "bus": set(),
    "collect": {"formats"},
    "deploy": set(),
    "formats": set(),
    "storage": set(),
    "terminal": set(),
    "promql": {"storage"},
    "intake": {"storage", "bus"},
    "alerts": {"promql", "formats", "storage"},
    "stream": {"access", "promql", "formats", "storage"},
    "remote": {"promql", "formats", "storage"},
    "server": {"access", "bus", "formats", "storage", "promql", "intake", "alerts", "stream", "remote"},
}
"""What each room may import besides itself and the leaves; leaves import leaves only."""

WIRING = {
    "app",
    "entrance",
    "kept",
    "bursts",
    "signals",
    "start",
    "pace",
    "parts",
    "processes",
    "queries",
    "checking",
    "reading",
    "reload",
    "adopt",
    "commands",
    "__main__",
}
"""May import everything, and nobody imports them."""

WEB_ROOMS = ["wire", "data", "state", "chart", "panels", "App"]
BROAD_EXCEPT = {"bus.py", "collect/loop.py", "server/base.py"}
REGISTRIES = [
    f"{name}.{end}" for name in ("pypi", "pythonhosted", "npmjs", "yarnpkg") for end in ("org", "com")
]
FORBIDDEN = re.compile("|".join(map(re.escape, REGISTRIES)).encode())

FILES = sorted(HOUSE.rglob("*.py"))
WEB_TESTS = {*WEB.rglob("*.test.ts"), *WEB.glob("testing/*")}
WEB_FILES = sorted({*WEB.rglob("*.ts"), *WEB.rglob("*.svelte")} - WEB_TESTS)


def here(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def package(path: Path) -> str:
    return ".".join(path.parent.relative_to(ROOT).parts)


def module(path: Path) -> str:
    return package(path) if path.stem == "__init__" else f"{package(path)}.{path.stem}"


MODULES = {module(path): path for path in FILES}


def imports(path: Path) -> set[str]:
    """The modules of ours that a file imports."""
    found: set[str] = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            source = resolve_name("." * node.level + (node.module or ""), package(path))
            inner = {f"{source}.{name.name}" for name in node.names} & MODULES.keys()
            # Within a package, `from package import part` is about the part alone.
            found |= inner if inner and source == package(path) else inner | {source}
    return {name for name in found if name.split(".")[0] == "monitor"}


def room(name: str) -> str:
    """`stream` of monitor.stream.feed; empty for the package itself, which holds the version."""
    return [*name.split("."), ""][1]


def allowed(own: str) -> set[str]:
    return LEAVES | {own, ""} | ROOMS.get(own, set())


def test_a_room_imports_only_what_the_table_allows() -> None:
    wrong = [
        f"{here(path)} imports {name}"
        for path in FILES
        if room(module(path)) not in WIRING
        for name in sorted(imports(path))
        if room(name) not in allowed(room(module(path)))
    ]
    assert not wrong, "\n".join(wrong)


def test_only_the_wiring_knows_what_stands_behind_the_storage_interface() -> None:
    users = {path for path in FILES if room(module(path)) not in WIRING | {"storage"}}
    wrong = [here(path) for path in users for name in imports(path) if name.startswith("monitor.storage.")]
    assert not wrong


def test_modules_import_each_other_in_no_circle() -> None:
    graph = {name: imports(path) - {name} for name, path in MODULES.items()}
    circle: list[str] = []
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        circle = error.args[1]
    assert not circle, " is imported by ".join(circle)


def test_every_room_has_a_row_in_the_table() -> None:
    rooms = {room(name) for name in MODULES} - {"", "boards"} - WIRING
    assert rooms <= ROOMS.keys() | LEAVES


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Each function's place and its length in lines."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{here(path)}:{node.lineno} {node.name}", (node.end_lineno or 0) - node.lineno + 1


def test_files_have_at_most_400_lines_and_functions_50() -> None:
    files = [here(path) for path in FILES if len(path.read_text(encoding="utf-8").splitlines()) > 400]
    long = [place for path in FILES for place, lines in functions(path) if lines > 50]
    assert not files + long


def broad_handlers(path: Path) -> Iterator[str]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ExceptHandler):
            caught = ast.unparse(node.type) if node.type else "everything"
            if re.search(r"\b(Exception|BaseException|everything)\b", caught):
                yield f"{here(path)}:{node.lineno} catches {caught}"


def test_errors_are_caught_by_name_but_in_three_named_places() -> None:
    watched = [path for path in FILES if str(path.relative_to(HOUSE)) not in BROAD_EXCEPT]
    assert not [place for path in watched for place in broad_handlers(path)]


def test_tornado_stays_in_the_server() -> None:
    statement = re.compile(r"^\s*(?:from|import) tornado\b", re.MULTILINE)
    users = {
        room(name) for name, path in MODULES.items() if statement.search(path.read_text(encoding="utf-8"))
    }
    assert users <= {"server"} | WIRING


def collectors() -> Iterator[tuple[str, str]]:
    """File and class of each class in collect/ that answers like a collector."""
    for path in (HOUSE / "collect").glob("*.py"):
        for node in tree(path).body:
            if isinstance(node, ast.ClassDef) and not any(
                ast.unparse(base) in ("Protocol", "ABC") for base in node.bases
            ):
                devices = any(ast.unparse(base) == "Devices" for base in node.bases)
                methods = {
                    part.name
                    for part in node.body
                    if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef)
                }
                if devices or methods & {"collect", "refresh"}:
                    yield path.stem, node.name


def test_every_collector_is_in_the_list_under_the_name_of_its_file() -> None:
    assert {each.file: each.name for each in COLLECTORS.values()} == dict(collectors())


def imported_files(path: Path) -> list[Path]:
    """What a TypeScript or Svelte file imports of ours, by its place in web/src."""
    text = path.read_text(encoding="utf-8")
    names = re.findall(r"""(?:\bfrom|\bimport)\s*\(?\s*["'](\.[^"']*)["']""", text)
    targets = [(path.parent / name).resolve() for name in names]
    return [target.relative_to(WEB) for target in targets if target.is_relative_to(WEB)]


def web_room(place: Path) -> str:
    return place.parts[0].split(".")[0]


def leftward(path: Path) -> list[str]:
    own = web_room(path.relative_to(WEB))
    return WEB_ROOMS[: WEB_ROOMS.index(own) + 1] if own in WEB_ROOMS else WEB_ROOMS


def test_the_page_imports_leftward_only() -> None:
    wrong = [
        f"{here(path)} imports {target}"
        for path in WEB_FILES
        for target in imported_files(path)
        if (target.parent.parts or web_room(target) in WEB_ROOMS) and web_room(target) not in leftward(path)
    ]
    assert not wrong, "\n".join(wrong)


def test_every_folder_of_the_page_is_a_room() -> None:
    folders = {web_room(path.relative_to(WEB)) for path in WEB_FILES if path.parent != WEB}
    assert folders <= set(WEB_ROOMS)


def test_only_the_chart_room_imports_uplot() -> None:
    users = {
        path for path in WEB_FILES if re.search(r"""\bfrom ["']uplot["']""", path.read_text(encoding="utf-8"))
    }
    assert {web_room(path.relative_to(WEB)) for path in users} <= {"chart"}


def kept_files() -> Iterator[Path]:
    """The files of the tree that a person wrote or that lock what others wrote."""
    made = {"node_modules", "build", "dist", "static", "__pycache__"}
    for path in sorted(ROOT.rglob("*")):
        parts = path.relative_to(ROOT).parts
        hidden = parts[0].startswith(".") and parts[0] not in {".ci", ".gitignore", ".gitattributes"}
        if path.is_file() and not hidden and not made & set(parts):
            yield path


def test_no_file_names_a_registry() -> None:
    assert not [here(path) for path in kept_files() if FORBIDDEN.search(path.read_bytes())]
