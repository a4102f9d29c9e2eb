"""A mail that was made, as text, HTML or facts. What is shown is read from the bytes that would go out."""

from __future__ import annotations

import html
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from email.parser import BytesParser
from typing import TYPE_CHECKING, Any, Final

from mailweir.caught import Caught, payload
from pipeline.config.glyphs import visible
from pipeline.receipt import Outcome
from pipeline.state.facts import outcome_of
from sinks.mail.outbound import restored
from systems.address import a_labels

if TYPE_CHECKING:
    from pipeline.errors import Problem
    from sinks.mail.maker import Made

_SHOWN: Final = ("From", "To", "Cc", "Reply-To", "Subject")
_LINE: Final = "─" * 50
_picture: Final = re.compile(r"cid:([^\"'\s()<>]+)")
# A page that shows what strangers wrote: it runs nothing, and asks no server for anything.
_PAGE: Final = """\
<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark }}
body {{ font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem }}
th {{ text-align: left; padding-right: 1.5rem; vertical-align: top }}
iframe {{ width: 100%; height: 40rem; border: 1px solid #8888; background: #fff; resize: vertical }}
pre {{ white-space: pre-wrap; border: 1px solid #8888; padding: 1rem }}
section + section {{ margin-top: 3rem }}
</style>
{sections}
</html>
"""


def caught(made: Made) -> Caught:
    """The mail as a server would get it, or would have got it if it were not held."""
    then = datetime.fromtimestamp(0, UTC)
    return Caught(1, then, restored(made.new.envelope).sender, made.new.recipients, made.new.content)


def warnings_of(made: Made, found: Iterable[Problem]) -> list[str]:
    """What a person should know before such mails go out."""
    return [*made.notes, *(f"{one.code} {one.told}" for one in found)]


def _written(address: str) -> Iterator[bytes]:
    """How a mail may name somebody: with the domain as it is, or as it goes over the wire."""
    yield address.encode()
    local, _, domain = address.rpartition("@")
    yield f"{local}@{a_labels(domain) or domain}".encode()


def text(made: Made, found: Sequence[Problem]) -> Iterator[str]:
    """The mail as lines for a terminal."""
    mail = caught(made)
    if made.new.state.value == "held":
        yield f"held: {visible(made.new.detail)}"
    for name in _SHOWN:
        value = mail.header(name)
        if value is not None:
            yield f"{name:<9} {visible(value)}"
    hidden = [one for one in made.new.recipients if not any(form in made.new.content for form in _written(one))]
    if hidden:
        yield f"{'Hidden':<9} {visible(', '.join(hidden))}"
    yield f"{'Parts':<9} {', '.join(_parts(mail))}"
    told = warnings_of(made, found)
    yield f"{'Warnings':<9} {visible(told[0]) if told else 'none'}"
    yield from (f"{'':<9} {visible(each)}" for each in told[1:])
    yield _LINE
    body = mail.body
    shown = body.text if body.text is not None else body.html
    yield from (visible(line) for line in (shown or "").splitlines())


def rejected(made: Made) -> str:
    """Why there is none, in one line."""
    assert made.problem is not None  # noqa: S101 - the caller has looked
    who = f" (entity {made.new.entity_id})" if made.new.entity_id else ""
    return visible(f"rejected{who}: {made.problem.code} {made.problem.told}")


def _parts(mail: Caught) -> Iterator[str]:
    for part in BytesParser().parsebytes(mail.content).walk():
        if part.is_multipart():
            continue
        name = part.get_filename()
        called = f" {visible(name)}" if isinstance(name, str) else ""
        yield f"{part.get_content_type()}{called} {_size(len(payload(part)))}"


def _size(count: int) -> str:
    if count < 1000:
        return f"{count} B"
    return f"{count / 1000:.1f} kB" if count < 1_000_000 else f"{count / 1_000_000:.1f} MB"


def body_html(made: Made) -> str:
    """What a mail program shows, by itself: the HTML with its pictures in it, or the text."""
    mail = caught(made)
    if mail.body.html is None:
        return f"<pre>{html.escape(mail.body.text or '')}</pre>"
    pictures: dict[str, str] = {}
    for part in BytesParser().parsebytes(mail.content).walk():
        name = part.get("Content-ID")
        if name:
            data = b64encode(payload(part)).decode()
            pictures[str(name).strip("<> ")] = f"data:{part.get_content_type()};base64,{data}"
    return _picture.sub(lambda found: pictures.get(found[1], found[0]), mail.body.html)


def page(pipe: str, mails: Sequence[Made], found: Sequence[Problem]) -> str:
    """One page that holds everything."""
    return _PAGE.format(
        title=html.escape(f"{pipe}: preview"), sections="\n".join(_section(one, found) for one in mails)
    )


def _section(made: Made, found: Sequence[Problem]) -> str:
    if not made.new.content:
        return f"<section><p><b>{html.escape(rejected(made))}</b></p></section>"
    mail = caught(made)
    rows = [(name, mail.header(name)) for name in _SHOWN]
    rows += [("Parts", ", ".join(_parts(mail))), ("Warnings", "; ".join(warnings_of(made, found)) or "none")]
    if made.new.state.value == "held":
        rows.insert(0, ("Held", made.new.detail))
    table = "".join(
        f"<tr><th>{name}<td>{html.escape(visible(value))}</tr>" for name, value in rows if value is not None
    )
    frame = f'<iframe sandbox="" title="The mail" srcdoc="{html.escape(body_html(made))}"></iframe>'
    text = mail.body.text
    plain = f"<details><summary>Text</summary><pre>{html.escape(text)}</pre></details>" if text is not None else ""
    return f"<section><table>{table}</table>{frame if mail.body.html is not None else ''}{plain}</section>"


def facts(made: Made, found: Sequence[Problem]) -> dict[str, Any]:
    """The mail for programs."""
    new = made.new
    told: dict[str, Any] = {
        "entity": new.entity_id,
        "outcome": outcome_of[new.state].value,
        "key": new.key,
        "recipients": list(new.recipients),
        "warnings": warnings_of(made, found),
    }
    if made.problem is not None:
        problem = made.problem
        return told | {"problem": {"code": problem.code, "message": problem.told, "path": list(problem.path)}}
    mail = caught(made)
    return told | {
        "detail": new.detail or None,
        "return_path": mail.sender,
        "subject": mail.subject,
        "headers": [list(each) for each in mail.headers],
        "text": mail.body.text,
        "html": mail.body.html,
        "attachments": [{"name": one.name, "type": one.type, "size": one.size} for one in mail.body.attachments],
        "size": len(mail.content),
    }


def is_rejected(made: Made) -> bool:
    """Whether a mail would be rejected."""
    return outcome_of[made.new.state] is Outcome.REJECTED
