"""The example of the README, installed as a package of its own and used by the command line."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).parents[2] / "README.md"


def example() -> tuple[str, str]:
    """The plug-in's module and its pyproject.toml, as the README has them."""
    text = README.read_text(encoding="utf-8")
    section = text.partition("### A reader of your own")[2].partition("\n### ")[0]
    module = re.search(r"```python\n(.*?)```", section, re.DOTALL)
    project = re.search(r"```toml\n(.*?)```", section, re.DOTALL)
    assert module is not None and project is not None
    return module[1], project[1]


def test_the_example_is_installed_and_reads(tmp_path: Path) -> None:
    module, project = example()
    assert module.count("\n") <= 35
    package = tmp_path / "plugin"
    package.mkdir()
    (package / "stitch.py").write_text(module)
    (package / "pyproject.toml").write_text(project)
    target = tmp_path / "site"
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation"]
    done = subprocess.run(
        [*pip, "--disable-pip-version-check", "--target", str(target), str(package)],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    if done.returncode:
        pytest.fail(done.stderr)
    pattern = tmp_path / "heart.stitch"
    pattern.write_text("title: heart\n.X.X.\nXXXXX\n.XXX.\n..X..\n")
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from asciiloom.readers import read_path, readers\n"
        "print(readers()[0].name)\n"
        "for item in read_path(sys.argv[2]): print(item.title, item.tags); print(item.text)\n"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code, str(target), str(pattern)],
        capture_output=True, text=True, timeout=120, check=True,
    ).stdout.split("\n")  # fmt: skip
    assert shown[0] == "stitch" and shown[1].startswith("heart")
    assert shown[2:6] == [" # #", "#####", " ###", "  #"]
