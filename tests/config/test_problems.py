"""Each wrong file in `wrong/` and what is said of it, word by word, in the text file beside it."""

from pathlib import Path

import pytest

from monitor.config import ConfigError, load

WRONG = Path(__file__).parent / "wrong"


@pytest.mark.parametrize("path", sorted(WRONG.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_wrong_file_is_told_everything_at_once(path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(path, {}, {})
    said = str(caught.value).replace(f"{WRONG}/", "")
    assert said.splitlines() == path.with_suffix(".txt").read_text().splitlines()


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
