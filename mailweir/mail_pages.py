"""Caught mail as pages for a browser. What is in a mail can neither run nor load anything there. No I/O."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Final, NamedTuple

from mailweir.caught import Caught
from pipeline.config.glyphs import visible

# The frame of the mail inherits the policy: nothing is loaded from anywhere, whoever sent the mail.
_head: Final = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:; \
frame-src about:">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
body {{ font: 15px/1.45 system-ui, sans-serif; max-width: 60rem; margin: 1.5rem auto; padding: 0 1rem; color: #1c2733 }}
table {{ border-collapse: collapse }}
td, th {{ padding: .2rem 1.2rem .2rem 0; text-align: left; vertical-align: top; overflow-wrap: anywhere }}
th {{ color: #5b6b79; font-weight: 500 }}
iframe {{ width: 100%; height: 70vh; border: 1px solid #c9d2da; border-radius: 6px; background: #fff }}
pre {{ white-space: pre-wrap; padding: 1rem; border: 1px solid #c9d2da; border-radius: 6px }}
@media (prefers-color-scheme: dark) {{ body {{ background: #14191e; color: #dfe6ec }} a {{ color: #7cc4ff }} }}
</style>
</head>
<body>
"""
_foot: Final = "</body>\n</html>\n"


class Row(NamedTuple):
    """A mail in the list."""

    number: int
    time: str
    to: str
    subject: str


def name_of(number: int, kind: str) -> str:
    """The file of a mail: `eml` as it came, `html` as a page."""
    return f"{number:04}.{kind}"


def row(mail: Caught) -> Row:
    """What the list says of a mail."""
    return Row(mail.number, f"{mail.time.astimezone():%H:%M:%S}", ", ".join(mail.recipients), mail.subject)


def index(rows: Sequence[Row]) -> str:
    """The list of all mails, the newest last."""
    lines = "".join(
        f"<tr><td>{one.time}</td><td>{_text(one.to)}</td>"
        f'<td><a href="{name_of(one.number, "html")}">{_text(one.subject) or "(no subject)"}</a></td></tr>\n'
        for one in rows
    )
    many = "1 mail was" if len(rows) == 1 else f"{len(rows):,} mails were"
    return (
        f"{_head.format(title='Caught mail')}<h1>Caught mail</h1>\n"
        f"<p>{many} caught; nothing has left this machine.</p>\n"
        f"<table>\n<tr><th>Time</th><th>To</th><th>Subject</th></tr>\n{lines}</table>\n{_foot}"
    )


def page(mail: Caught) -> str:
    """A mail: the envelope, what a reader shows of its header, the HTML as it looks, the text, the attachments."""
    subject = _text(mail.subject) or "(no subject)"
    known = [(name, mail.header(name)) for name in ("From", "To", "Cc", "Reply-To", "Date")]
    rows = [
        *((name, value) for name, value in known if value is not None),
        ("Envelope", f"{mail.sender or '<>'} → {', '.join(mail.recipients)}"),
    ]
    table = "".join(f"<tr><th>{name}</th><td>{_text(value)}</td></tr>\n" for name, value in rows)
    parts = [
        _head.format(title=subject),
        f'<p><a href="index.html">All mail</a> · <a href="{name_of(mail.number, "eml")}">as it came (.eml)</a></p>\n',
        f"<h1>{subject}</h1>\n<table>\n{table}</table>\n",
    ]
    if mail.html is not None:
        framed = html.escape(mail.html)
        parts.append(f'<h2>HTML</h2>\n<iframe sandbox="" title="The mail as HTML" srcdoc="{framed}"></iframe>\n')
    if mail.text is not None:
        parts.append(f"<h2>Text</h2>\n<pre>{_lines(mail.text)}</pre>\n")
    if not mail.body.parsed:
        parts.append("<p>This mail cannot be taken apart: look at it as it came.</p>\n")
    if mail.body.attachments:
        items = "".join(
            f"<li>{_text(one.name or '(no name)')}, {_text(one.type)}, {one.size:,} bytes</li>\n"
            for one in mail.body.attachments
        )
        parts.append(f"<h2>Attachments</h2>\n<ul>\n{items}</ul>\n")
    return "".join([*parts, _foot])


def _text(value: str) -> str:
    return html.escape(visible(value))


def _lines(value: str) -> str:
    return "\n".join(_text(line) for line in value.split("\n"))
