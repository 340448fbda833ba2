"""Each wrong file in `wrong/` and what is said of it, word by word, in the text file beside it.

`MONITOR_GOLDEN=write` writes the text files anew.
"""

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.config import ConfigError, Problem, load

ROOT = Path(__file__).parents[2]
WRONG = Path(__file__).parent / "wrong"
OVERVIEW = (ROOT / "monitor" / "boards" / "overview.yaml").read_text()
GOOD = ((ROOT / "config.yaml").read_text(), "boards:\n  - " + OVERVIEW.replace("\n", "\n    "))


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wrong files where nobody else may read them, which would be one more problem of some."""
    folder = shutil.copytree(WRONG, tmp_path_factory.mktemp("closed") / "wrong")
    for path in folder.rglob("*.yaml"):
        path.chmod(0o600)
    return folder


@pytest.mark.parametrize("path", sorted(WRONG.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_wrong_file_is_told_everything_at_once(path: Path, closed: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(closed / path.name, {}, {})
    said = str(caught.value).replace(f"{closed}/", "") + "\n"
    golden = path.with_suffix(".txt")
    if os.environ.get("MONITOR_GOLDEN") == "write":
        golden.write_text(said)
    assert said.splitlines() == golden.read_text().splitlines()


def problems_of(path: Path) -> tuple[Problem, ...]:
    try:
        load(path, {}, {})
    except ConfigError as error:
        return error.problems
    return ()


@given(st.data())
def test_a_damaged_file_is_read_or_has_problems_with_places(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    text = data.draw(st.sampled_from(GOOD))
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        end = start + data.draw(st.integers(0, 20))
        text = text[:start] + data.draw(st.text("[]{}:,-&*!|>'\"#% \n\tab0~é", max_size=9)) + text[end:]
    path = tmp_path_factory.getbasetemp() / "damaged.yaml"
    path.write_text(text)
    assert all(problem.place.line > 0 and problem.text for problem in problems_of(path))


def test_a_file_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    expected = "expected a YAML file that this user may read"
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "none.yaml", {}, {})
    assert (
        str(caught.value) == f"{tmp_path}/none.yaml: cannot be read (No such file or directory), {expected}"
    )
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, {}, {})
    assert str(caught.value) == f"{tmp_path}: cannot be read (Is a directory), {expected}"
