"""What the pages point at is there, and what they say to type can be typed."""

import doctest
import re
import shlex
from pathlib import Path

import pytest
import typer
import typer.core

from tendigits.cli import app
from tendigits.training.recipes import RECIPES

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
TARGET = re.compile(r"\]\(([^)\s#]+)[^)]*\)")  # of a link or an image, without its fragment
ELSEWHERE = ("https:", "http:", "mailto:")
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
PYTHON = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
IN_BLOCK = re.compile(r"(?:^|&& )(?:\.venv/bin/)?tendigits (.*)", re.MULTILINE)
IN_PROSE = re.compile(r"`tendigits\s([^`]*)`")  # which may be folded


def targets(page: Path) -> list[Path]:
    """Return the files and folders that a page points at."""
    words = TARGET.findall(page.read_text("utf-8"))
    return [page.parent / word for word in words if not word.startswith(ELSEWHERE)]


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_every_relative_link_and_image_is_there(page: Path) -> None:
    assert [str(target) for target in targets(page) if not target.exists()] == []


def test_the_links_of_a_page_are_found() -> None:
    assert {ROOT / "docs" / "report.png", ROOT / "LICENSE"} <= set(targets(ROOT / "README.md"))


def commands(page: Path) -> list[list[str]]:
    """Return the words of each command that a page names, without `tendigits` itself."""
    text = page.read_text("utf-8")
    typed = [command for block in BLOCK.findall(text) for command in IN_BLOCK.findall(block)]
    typed += IN_PROSE.findall(BLOCK.sub("", text))
    return [shlex.split(command, comments=True) for command in typed]


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_every_command_has_the_verb_and_the_options_that_are_typed(page: Path) -> None:
    group = typer.main.get_command(app)
    assert isinstance(group, typer.core.TyperGroup)
    for words in commands(page):
        verb = group.commands.get(words[0])
        assert verb is not None or words[0].startswith("-"), words
        known = {name for option in (verb or group).params for name in option.opts}
        typed = {word.partition("=")[0] for word in words if word.startswith("--")}
        assert typed <= {*known, "--help"}, words


def test_help_names_every_recipe() -> None:
    """The command writes them out: asking for the recipes would load torch before the help."""
    group = typer.main.get_command(app)
    assert isinstance(group, typer.core.TyperGroup)
    (recipe,) = (option for option in group.commands["train"].params if option.name == "recipe")
    assert isinstance(recipe, typer.core.TyperArgument)
    assert str(recipe.help).rstrip(".").replace(" or ", ", ").split(", ") == [*RECIPES]


def test_the_commands_of_a_page_are_found() -> None:
    found = commands(ROOT / "README.md")
    assert ["show", "runs/001-cnn", "--mistakes", "--count", "20"] in found
    assert ["read", "examples/postcode.jpg", "--draw", "read.png"] in found
    assert ["route", "mail/pieces", "--plan", "examples/plan.csv"] in [line[:4] for line in found]
    assert ["teach", "--queue", "review.sqlite"] in found


def test_readmes_python_says_what_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    examples = "\n".join(PYTHON.findall(Path("README.md").read_text("utf-8")))
    test = doctest.DocTestParser().get_doctest(examples, {}, "README.md", None, None)
    failed, tried = doctest.DocTestRunner().run(test)
    assert failed == 0
    assert tried > 5
