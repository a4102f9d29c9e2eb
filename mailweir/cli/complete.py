"""What the shells' scripts ask on every Tab: `mailweir --complete WORD… @CURRENT`, one candidate a line.

It has to answer while a finger is still on the key, so it imports neither click nor pydantic, reads ids by a plain
scan of the files, and keeps no index that could be old. A first line `:file` or `:folder` leaves it to the shell.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from mailweir.cli.grammar import Value, Verb, aliases, common, verbs
from mailweir.cli.streams import opened, put

_first_id: Final = re.compile(r'"_id"\s*:\s*"([^"\\]+)"')
_reference: Final = re.compile(r"\$SECRET\(([A-Za-z0-9_.-]+)\)")


def answer(arguments: Sequence[str]) -> int:
    """Print the candidates. A fault prints nothing: there is no place for it beside a half written command."""
    *before, current = arguments or [""]
    try:
        found = candidates(before, current.removeprefix("@"), Path.cwd())
        put(opened(sys.stdout), "".join(f"{line}\n" for line in found))
    except Exception:  # noqa: BLE001 - as the docstring says
        return 0
    return 0


def candidates(before: Sequence[str], current: str, here: Path) -> list[str]:
    """What the current word may become, after the words before it."""
    said = _read(before)
    here = here / said.folder
    if not here.is_dir():
        return []
    if said.open is not None:
        return _values(said.open, current, here)
    options = {**common, **said.verb.options} if said.verb else common
    if current.startswith("-") and not said.rest_only:
        name, equals, value = current.partition("=")
        if equals:
            return [f"{name}={found}" for found in _values(options.get(name), value, here) if not found.startswith(":")]
        return [option for option in options if option.startswith(current)]
    if said.verb is None:
        return _beginning(current, (*(name for name in verbs if " " not in name), *aliases))
    return _values(_argument(said.verb, said.past), current, here)


class _Said(NamedTuple):
    """What the words before say: verb, number of arguments, the value that an option waits for, folder of `-C`."""

    verb: Verb | None = None
    past: int = 0
    open: Value = None
    folder: str = ""
    rest_only: bool = False


def _read(words: Sequence[str]) -> _Said:
    name = ""
    said = _Said()
    waiting = iter(words)
    for word in waiting:
        options = {**common, **said.verb.options} if said.verb else common
        if word == "--" and not said.rest_only:
            said = said._replace(rest_only=True)
        elif word.startswith("-") and not said.rest_only:
            option, equals, value = word.partition("=")
            if options.get(option) is None:
                continue
            if not equals:
                following = next(waiting, None)
                if following is None:
                    return said._replace(open=options[option])
                value = following
            if option in {"-C", "--project"}:
                said = said._replace(folder=value)
        elif said.verb is None:
            name = aliases.get(word, word)
            said = said._replace(verb=verbs.get(name, Verb()))
        elif f"{name} {word}" in verbs:
            name = f"{name} {word}"
            said = said._replace(verb=verbs[name], past=0)
        else:
            said = said._replace(past=said.past + 1)
    return said


def _argument(verb: Verb, count: int) -> Value:
    if count < len(verb.arguments):
        return verb.arguments[count]
    return verb.arguments[-1] if verb.repeats else None


def _values(value: Value, current: str, here: Path) -> list[str]:
    if isinstance(value, tuple):
        return _beginning(current, value)
    if value in {"file", "folder"}:
        return [f":{value}"]
    if value is None:
        return []
    if value == "code":
        # Codes may stand in a list with commas.
        *first, last = current.rpartition(",")
        return [f"{''.join(first)}{found}" for found in _beginning(last.upper(), _codes())]
    return _beginning(current, sorted({*_sorts[value](here)}))


def _beginning(current: str, words: Iterable[str]) -> list[str]:
    return [word for word in words if word.startswith(current)]


def _codes() -> list[str]:
    pages = (Path(__file__).parents[1] / "codes").glob("[EW]*.md")
    return sorted((page.stem for page in pages), key=lambda code: code[1:])


def _topics(_: Path) -> Iterator[str]:
    from importlib.metadata import distribution

    from mailweir.words import words

    yield from _codes()
    yield from ("pipe", "metadata", "system", "source", "transform", "sink", "mailweir.json")
    # `$ENV` and words with blanks would have to be quoted, in each shell in its way.
    yield from (word.name for word in words() if word.name.isidentifier())
    for point in distribution("mailweir").entry_points:
        if point.group.startswith("mailweir."):
            yield f"system:{point.name}" if point.group == "mailweir.systems" else point.name


def _texts(here: Path) -> Iterator[str]:
    """The configuration files of the project around a folder, or what is in its database."""
    from pipeline.config.files import SETTINGS, root_of, search

    root = root_of(here) or here
    if _setting(root / SETTINGS, "config_source") == "database":
        from pipeline.config.stored import kept

        yield from (data.decode("utf-8", "replace") for data in kept(root).values())
        return
    for path in search(root, _excluded(root / SETTINGS)).files:
        yield path.read_text(encoding="utf-8-sig", errors="replace")


def _setting(settings: Path, name: str) -> object:
    try:
        return json.loads(settings.read_bytes())[name]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _excluded(settings: Path) -> list[str]:
    found = _setting(settings, "exclude")
    return [pattern for pattern in found if isinstance(pattern, str)] if isinstance(found, list) else []


def _components(here: Path) -> Iterator[Mapping[str, Any]]:
    for text in _texts(here):
        try:
            root = json.loads(text)
        except (ValueError, RecursionError):
            # A file that is being written is broken now and then; its first id is most likely the component's.
            found = _first_id.search(text)
            root = {"_id": found[1], "type": "system:" if '"system:' in text else "pipe"} if found else {}
        for component in root if isinstance(root, list) else [root]:
            if isinstance(component, dict) and isinstance(component.get("_id"), str):
                yield component


def _pipes(here: Path) -> Iterator[str]:
    return (component["_id"] for component in _components(here) if component.get("type") == "pipe")


def _systems(here: Path) -> Iterator[str]:
    return (one["_id"] for one in _components(here) if str(one.get("type")).startswith("system:"))


def _spools(here: Path) -> Iterator[str]:
    return (component["_id"] for component in _components(here) if component.get("type") == "system:spool")


def _names(here: Path) -> Iterator[str]:
    """Systems, pipes, and datasets with a name of their own."""
    for component in _components(here):
        yield component["_id"]
        sink = component.get("sink")
        dataset = sink.get("dataset") if isinstance(sink, dict) else None
        if isinstance(dataset, str):
            yield dataset


def _stored_components(here: Path) -> Iterable[str]:
    """Those that are or were in the database of the project."""
    from pipeline.config.files import root_of
    from pipeline.config.store_sqlite import SqliteConfig
    from pipeline.config.stored import store_of

    with SqliteConfig.open(store_of(root_of(here) or here), make=False) as store:
        return list(store.versions())


def _profiles(here: Path) -> Iterator[str]:
    from pipeline.config.files import root_of

    ending = "-env.json"
    return (path.name.removesuffix(ending) for path in (root_of(here) or here).glob(f"[!.]*{ending}"))


def _secrets(here: Path) -> Iterator[str]:
    return (name for text in _texts(here) for name in _reference.findall(text))


def _stored(here: Path) -> Iterable[str]:
    from pipeline.config.files import root_of
    from pipeline.config.secrets_file import secret_names

    return secret_names((root_of(here) or here) / ".secrets.env")


_sorts: Final[Mapping[str, Callable[[Path], Iterable[str]]]] = {
    "component": _stored_components,
    "name": _names,
    "pipe": _pipes,
    "profile": _profiles,
    "secret": _secrets,
    "spool": _spools,
    "stored": _stored,
    "system": _systems,
    "topic": _topics,
}
