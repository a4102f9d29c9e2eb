"""The pages of the codes: their examples are run, and no code is without a page."""

from __future__ import annotations

import ast
import json
import shlex
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest

import mailweir
import pipeline
import sinks
import sources
import systems
from mailweir.cli.checking import check_paths
from mailweir.codes import Block, CodePage, codes, find, is_code, parse
from pipeline.config.load import Options
from pipeline.template.templates import Template, compile_template, variables
from sinks.mail.config import MailConfig
from sinks.mail.maker import Maker, Makes
from sinks.mail.people import Guards
from sinks.mail.settings import settings
from sinks.mail.template_headers import header_fault
from sinks.sms.config import SmsConfig
from sinks.sms.maker import SmsMaker
from sinks.sms.settings import sms_settings

packages = (mailweir, pipeline, sinks, sources, systems)
in_use = [page for page in codes() if not page.reserved]
checked = [page for page in in_use if not page.at_run_time]
rendered = [page for page in in_use if page.at_run_time and any(block.language == "jinja" for block in page.wrong)]
made = [page for page in in_use if page.at_run_time and any(block.file == "sink" for block in page.wrong)]


def written(folder: Path, blocks: Iterable[Block]) -> dict[str, str]:
    """Make a project of the blocks of an example; gives the variables of the process."""
    folder.mkdir()
    environ: dict[str, str] = {}
    for block in blocks:
        if block.language == "env":
            environ |= dict(line.split("=", 1) for line in block.text.splitlines())
            continue
        if block.language == "sh":
            subprocess.run([shutil.which("sh") or "sh", "-euc", block.text], cwd=folder, check=True)
            continue
        path = folder / block.file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text, encoding="utf-8")
        if path.name == ".secrets.env":
            path.chmod(0o600)
    return environ


def found(project: Path, blocks: Iterable[Block]) -> list[str]:
    """The codes that a full check of an example gives, without any value from this machine."""
    environ = written(project, blocks)
    options = Options(
        environ=environ,
        here=project,
        run_secrets=project / "no-such-folder",
        secrets_command=shlex.split(environ.get("MAILWEIR_SECRETS_COMMAND", "")),
    )
    return sorted({problem.code for problem in check_paths([project], options).problems})


def in_source() -> set[str]:
    """Every code that stands as a literal in the product."""
    literals = set()
    for package in packages:
        for file in Path(package.__path__[0]).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    literals.add(node.value)
    return {text for text in literals if len(text) == 4 and text[0] in "EW" and text[1:].isdigit()}


@pytest.mark.parametrize("page", checked, ids=lambda page: page.code)
def test_the_wrong_example_gives_its_code_and_the_right_one_none(page: CodePage, tmp_path: Path) -> None:
    """A wrong example gives exactly the codes that its page names, and the right one nothing at all."""
    assert page.wrong
    assert page.right
    assert found(tmp_path / "wrong", page.wrong) == sorted({page.code, *page.also})
    assert found(tmp_path / "right", page.right) == []


def told(blocks: Iterable[Block]) -> str | None:
    """The code that a run tells for the template and the entity of an example, in a subject."""
    texts = {block.language: block.text for block in blocks}
    values = variables(json.loads(texts["json"]))
    template = compile_template(texts["jinja"], "subject")
    assert isinstance(template, Template)
    text = template.render(values)
    fault = header_fault(text, template, values) if isinstance(text, str) else text
    return fault.code if fault else None


@pytest.mark.parametrize("page", rendered, ids=lambda page: page.code)
def test_the_wrong_entity_gives_its_code_and_the_right_one_a_text(page: CodePage) -> None:
    """What a run tells of a template is as the page says."""
    assert (told(page.wrong), told(page.right)) == (page.code, None)


def rejected(blocks: Iterable[Block]) -> str | None:
    """The code that a run tells for the mail of an example."""
    texts = {block.file: json.loads(block.text) for block in blocks}
    sink: Makes
    if texts["sink"].get("type") == "sms":
        sms = SmsConfig.model_validate({"system": "office", **texts["sink"]})
        sink = SmsMaker(sms_settings(sms, "/nowhere", Guards()), "stock-alerts", "run")
    else:
        usual = {"type": "mail", "system": "office", "mail_from": "stock@example.com"}
        config = MailConfig.model_validate({**usual, **texts["sink"]})
        sink = Maker(settings(config, "/nowhere"), "stock-alerts", "run")
    ((_, _, problem, _),) = sink.make(texts["entity"], 1_800_000_000.0)
    return problem.code if problem else None


@pytest.mark.parametrize("page", made, ids=lambda page: page.code)
def test_the_mail_of_the_wrong_entity_is_rejected_and_that_of_the_right_one_is_not(page: CodePage) -> None:
    """What a run tells of a mail is as the page says."""
    assert (rejected(page.wrong), rejected(page.right)) == (page.code, None)


def test_every_code_of_the_product_has_a_page_that_is_in_use() -> None:
    """A code in the source has a page with examples; a page whose code is not in the source says so."""
    assert in_source() == {page.code for page in in_use}


def test_reserved_pages_say_so_and_have_no_example() -> None:
    """A page for a code that nothing reports says this first, and shows nothing that could be mistaken for a run."""
    reserved = [page for page in codes() if page.reserved]
    assert reserved
    for page in reserved:
        assert page.text.startswith("Reserved: nothing reports this code yet.\n\n")
        assert (page.wrong, page.right, page.also) == ((), (), ())


def test_numbers_are_unique_and_in_order() -> None:
    """One number is one code, whatever its letter, so that `explain 302` has one answer."""
    numbers = [int(page.code[1:]) for page in codes()]
    assert numbers == sorted(set(numbers))


def test_pages_are_named_after_their_code() -> None:
    """The page that is found by a code is that code's."""
    assert all(find(page.code) == page for page in codes())


@pytest.mark.parametrize("asked", ["E201", "e201", "201", "W201"])
def test_a_page_is_found_by_its_number(asked: str) -> None:
    """Case and letter do not matter."""
    page = find(asked)
    assert page is not None
    assert page.code == "E201"


@pytest.mark.parametrize("asked", ["", "E", "E20", "E2011", "../E201", "E999", "X201", "E\uff12\uff10\uff11"])
def test_other_texts_find_no_page(asked: str) -> None:
    """What is no code, or a code without a page, finds nothing."""
    assert find(asked) is None


def test_what_is_written_like_a_code() -> None:
    """A letter E or W and three digits, or the digits alone."""
    assert all(is_code(text) for text in ("E999", "w999", "999"))
    assert not any(is_code(text) for text in ("E99", "mail", "E9999", "\uff19\uff19\uff19"))


def test_the_level_is_in_the_letter() -> None:
    """W is a warning, E an error."""
    assert {page.level for page in codes() if page.code.startswith("W")} == {"warning"}
    assert {page.level for page in codes() if page.code.startswith("E")} == {"error"}


def test_pages_are_plain_text_of_short_lines() -> None:
    """Titles are no sentences, and the text fits the line length of the project."""
    for page in codes():
        assert not page.title.endswith((".", "!", ":"))
        assert page.text
        assert all(len(line) <= 120 for line in page.text.splitlines())


def test_a_page_as_facts() -> None:
    """Blocks keep their text byte for byte, `also` its codes."""
    page = parse(
        "# E123 a title\n\nText\nof two lines.\n\n## Wrong\n\nalso: E301, W309\n\n"
        "```json a.conf.json\n## not a heading\n\n{}\n```\n\n```sh\ntrue\n```\n\n## Right\n\n```dotenv .env\n```\n"
    )
    assert page == CodePage(
        "E123",
        "a title",
        reserved=False,
        text="Text\nof two lines.",
        wrong=(Block("json", "a.conf.json", "## not a heading\n\n{}\n"), Block("sh", "", "true\n")),
        right=(Block("dotenv", ".env", ""),),
        also=("E301", "W309"),
    )


@pytest.mark.parametrize(
    "page",
    [
        "E123 no heading",
        "# E12 a short code",
        "# E123 t\n\n## Wrong\n\n```json a\n",
        "# E123 t\n\n## Other\n",
        "# E123 t\n\n## Wrong\n\nwords\n",
    ],
)
def test_a_page_in_another_form_is_refused(page: str) -> None:
    """A page that would be shown in part is not shown at all."""
    with pytest.raises(ValueError, match=r"\S"):
        parse(page)
