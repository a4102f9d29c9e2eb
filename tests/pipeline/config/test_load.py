"""Loading projects from disk."""

import json
import os
import shutil
from pathlib import Path

import pytest

from pipeline.config.files import root_of, search
from pipeline.config.installed import installed
from pipeline.config.load import Loaded, Options, load, project_root
from pipeline.config.project import compile_project
from pipeline.config.registry import Registry
from pipeline.config.resolve import Lookup
from pipeline.config.text import read
from pipeline.config.tree import Lines

PIPE = {"_id": "a", "type": "pipe", "source": {"type": "empty"}}


def write(path: Path, value: object) -> Path:
    """A file with JSON in it, in folders made for it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
    return path


def loaded(root: Path, **environ: str) -> Loaded:
    """The project with these variables."""
    return load(root, Options(environ=environ, here=root, run_secrets=root / "none"))


@pytest.mark.parametrize("marker", ["mailweir.json", "node-metadata.conf.json", "systems/x", "pipes/x"])
def test_the_root_is_the_nearest_folder_with_a_sign(tmp_path: Path, marker: str) -> None:
    """Any of four signs makes a folder a project's root, for everything below it."""
    write(tmp_path / marker, "{}")
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    assert root_of(deep) == tmp_path
    assert project_root(write(deep / "c.conf.json", PIPE)) == tmp_path


def test_a_file_outside_of_any_project_is_one_by_itself(tmp_path: Path) -> None:
    """Its folder is the root."""
    assert project_root(write(tmp_path / "c.conf.json", PIPE)) == tmp_path


def test_every_layout_of_files_is_read(tmp_path: Path) -> None:
    """One component a file or a list of them, at any depth, also in the files of a Sesam node."""
    write(tmp_path / "node-metadata.conf.json", {"_id": "node", "type": "metadata"})
    write(tmp_path / "nodeconfig.json", [{**PIPE, "_id": "b"}, {**PIPE, "_id": "c"}])
    write(tmp_path / "deep" / "er" / "d.conf.json", "\ufeff" + json.dumps({**PIPE, "_id": "d"}))
    for passed_over in (
        ".hidden.conf.json",
        ".git/x.conf.json",
        "backup.conf.json~",
        "other.json",
        "node_modules/x.conf.json",
    ):
        write(tmp_path / passed_over, "not json")
    result = loaded(tmp_path)
    assert result.problems == []
    assert [component.id for component in result.project.components] == ["d", "node", "b", "c"]


def test_excluded_files_are_not_read(tmp_path: Path) -> None:
    """By name, path or pattern."""
    write(tmp_path / "mailweir.json", {"exclude": ["drafts", "old/*.conf.json", "x.conf.json"]})
    for name in ("drafts/a.conf.json", "old/b.conf.json", "deep/x.conf.json"):
        write(tmp_path / name, "not json")
    write(tmp_path / "old" / "kept" / "c.json", "not json")
    assert search(tmp_path, ["drafts", "old/*.conf.json", "x.conf.json"]).files == []
    assert loaded(tmp_path).problems == []


def test_a_circle_of_links_is_a_located_fault(tmp_path: Path) -> None:
    """A file that leads to itself cannot be read; a folder that does holds nothing."""
    write(tmp_path / "a.conf.json", PIPE)
    (tmp_path / "loop.conf.json").symlink_to("loop.conf.json")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "one.conf.json").symlink_to("two.conf.json")
    (tmp_path / "two.conf.json").symlink_to("one.conf.json")
    reason = "cannot read this file: too many levels of symbolic links"
    assert [(problem.code, problem.message, problem.span.file) for problem in loaded(tmp_path).problems] == [
        ("E115", reason, "loop.conf.json"),
        ("E115", reason, "one.conf.json"),
        ("E115", reason, "two.conf.json"),
    ]


def test_settings_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    """What the project ignores and excludes is not forgotten in silence."""
    write(tmp_path / "pipes" / "a.conf.json", PIPE)
    (tmp_path / "mailweir.json").symlink_to("mailweir.json")
    assert [(problem.code, problem.span.file) for problem in loaded(tmp_path).problems] == [("E115", "mailweir.json")]


@pytest.mark.parametrize("target", [".", "..", "../project", "pipes"])
def test_links_that_lead_back_are_read_once(tmp_path: Path, target: str) -> None:
    """However a folder is reached, its files are read where they are, and reading ends."""
    root = tmp_path / "project"
    write(root / "mailweir.json", {"follow_links": True})
    write(root / "pipes" / "a.conf.json", PIPE)
    (root / "back").symlink_to(target)
    (root / "pipes" / "deep").mkdir()
    (root / "pipes" / "deep" / "back").symlink_to(root / "pipes")
    assert list(loaded(root).files) == ["pipes/a.conf.json"]
    assert loaded(root).problems == []


def test_a_folder_outside_is_read_once_through_its_links(tmp_path: Path) -> None:
    """Two links to it, and one in it that leads back, bring each file once."""
    root, outside = tmp_path / "project", tmp_path / "outside"
    write(root / "mailweir.json", {"follow_links": True})
    write(outside / "a.conf.json", PIPE)
    (outside / "back").symlink_to(root)
    (outside / "again").symlink_to(outside)
    (root / "first").symlink_to(outside)
    (root / "second").symlink_to(outside)
    assert list(loaded(root).files) == ["first/a.conf.json"]


def test_a_folder_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """Its files would be missing in silence."""
    handle = os.open(write(tmp_path / "a.conf.json", PIPE).parent, os.O_RDONLY)
    # One name longer than a path may be: made from within, since no path leads there.
    for _ in range(20):
        os.mkdir("d" * 250, dir_fd=handle)
        inner = os.open("d" * 250, os.O_RDONLY, dir_fd=handle)
        os.close(handle)
        handle = inner
    os.close(handle)
    (problem,) = loaded(tmp_path).problems
    shutil.rmtree(tmp_path)
    assert (problem.code, problem.message) == ("E115", "cannot read this folder: file name too long")


def test_values_are_typed_by_where_they_come_from(tmp_path: Path) -> None:
    """Text becomes what the property needs; JSON keeps its type; a text that does not fit is located."""
    values = {"smtp_port": "$ENV(port)", "rate_group": "$ENV(port)", "verbose": "$ENV(v)"}
    system = {"_id": "s", "type": "system:smtp", **values}
    write(tmp_path / "systems" / "s.conf.json", system)
    config = loaded(tmp_path, port="587", v="True").project.components[0].config
    assert [getattr(config, name) for name in ("smtp_port", "rate_group", "verbose")] == [587, "587", True]
    write(tmp_path / "test-env.json", {"port": 25, "v": False})
    problems = loaded(tmp_path).problems
    assert [(p.code, p.message) for p in problems] == [("E202", "`rate_group` must be a string, not a number")]
    wrong = loaded(tmp_path, port="many", v="").problems
    assert [(p.code, p.message) for p in wrong] == [
        ("E308", "`$ENV(port)` cannot be read as an integer for `smtp_port`"),
        ("E308", "`$ENV(v)` cannot be read as true or false for `verbose`"),
    ]


def test_lists_and_objects_may_come_from_the_environment(tmp_path: Path) -> None:
    """A value that is one whole reference may be any JSON."""
    write(tmp_path / "test-env.json", {"mechanisms": ["PLAIN"]})
    system = {"_id": "s", "type": "system:smtp", "auth": "$ENV(mechanisms)", "timeouts": "$ENV(timeouts)"}
    write(tmp_path / "systems" / "s.conf.json", system)
    config = loaded(tmp_path, timeouts='{"dot": 5}').project.components[0].config
    assert getattr(config, "auth") == ("PLAIN",)
    assert getattr(config, "timeouts").dot == 5


def test_conditions_choose_properties_and_resolve_only_the_chosen(tmp_path: Path) -> None:
    """What is chosen replaces its siblings; the values of other alternatives need not exist."""
    system = {
        "_id": "s",
        "type": "system:smtp",
        "smtp_server": "localhost",
        "$conditional_properties": {
            "condition": "$ENV(node-env)",
            "alternatives": {"test": {"helo": "here"}, "prod": {"smtp_server": "$ENV(server)", "use_tls": True}},
        },
    }
    write(tmp_path / "systems" / "s.conf.json", system)
    test = loaded(tmp_path, NODE_ENV="test").project.components[0].config
    assert [getattr(test, name) for name in ("smtp_server", "helo")] == ["localhost", "here"]
    assert [p.code for p in loaded(tmp_path, NODE_ENV="prod").problems] == ["E301"]
    assert [p.code for p in loaded(tmp_path, NODE_ENV="stage").problems] == ["E313"]
    prod = loaded(tmp_path, NODE_ENV="prod", SERVER="mail.example.com").project.components[0].config
    assert getattr(prod, "smtp_server") == "mail.example.com"


def test_what_a_variable_holds_is_not_looked_through(tmp_path: Path) -> None:
    """A value with references or templates in it is taken as it is."""
    write(tmp_path / "systems" / "s.conf.json", {"_id": "s", "type": "system:smtp", "rate_group": "$ENV(x)"})
    config = loaded(tmp_path, x="$SECRET(password) {{ y }} $ENV(x)").project.components[0].config
    assert getattr(config, "rate_group") == "$SECRET(password) {{ y }} $ENV(x)"


def test_secrets_become_secrets(tmp_path: Path) -> None:
    """Alone or within text, and an empty one counts as not set."""
    system = {"_id": "s", "type": "system:smtp", "smtp_username": "a", "smtp_password": "x-$SECRET(p)"}
    write(tmp_path / "systems" / "s.conf.json", system)
    result = loaded(tmp_path, MAILWEIR_SECRET_P="canary")
    config = result.project.components[0].config
    assert repr(getattr(config, "smtp_password")) == "********"
    assert getattr(config, "smtp_password").reveal() == "x-canary"
    assert "canary" not in repr(result.project)
    empty = loaded(tmp_path, MAILWEIR_SECRET_P="").problems
    assert [(p.code, p.message) for p in empty] == [("E303", "secret `p` is set but empty")]


def test_values_that_nothing_names_are_told(tmp_path: Path) -> None:
    """Only those in the project's own files, at their line, and only if no alternative names them either."""
    write(tmp_path / "systems" / "s.conf.json", {"_id": "s", "type": "system:smtp", "helo": "$ENV(used)"})
    conditional = {"condition": "test", "alternatives": {"test": {}, "prod": {"helo": "$ENV(elsewhere)"}}}
    other = {"_id": "t", "type": "system:smtp", "$conditional_properties": conditional}
    write(tmp_path / "systems" / "t.conf.json", other)
    write(tmp_path / ".env", "used=a\nunused=b\nelsewhere=c\n")
    result = loaded(tmp_path, other="x")
    (problem,) = result.problems
    assert (problem.code, problem.span.file) == ("W309", ".env")
    assert Lines(result.project.texts[".env"]).place(problem.span.start) == (2, 1)


def test_a_plugin_that_is_not_allowed_is_named_and_not_imported() -> None:
    """The settings list the packages whose types may be used."""
    registry = Registry(installed().types, {("source", "crm"): "mailweir-crm"})
    text = json.dumps({**PIPE, "source": {"type": "crm"}})
    (problem,) = compile_project([read(text, "a.conf.json")], registry, Lookup()).problems
    assert problem.code == "E205"
    assert any("mailweir-crm" in note.text for note in problem.notes)
