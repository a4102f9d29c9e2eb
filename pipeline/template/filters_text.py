"""Filters that make a text of a text. No I/O.

They do what Jinja2's do under the same names; what a filter needs of steps and of memory is asked for first. A value
that is HTML already (`Markup`) stays it where no letter of a tag can be torn from the others.
"""

from __future__ import annotations

import re
from textwrap import TextWrapper
from typing import Any, Final
from urllib.parse import quote

from jinja2 import Undefined
from jinja2.runtime import Context
from markupsafe import Markup

from pipeline.template.filters_lists import getter
from pipeline.template.filters_markdown import markdown as markdown_html
from pipeline.template.formats import percent
from pipeline.template.limits import CHARACTERS_A_STEP, Failed
from pipeline.template.methods import meter_of, replaced, width_of
from pipeline.template.operators import joined
from pipeline.template.values import Missing, a_kind, escape_text, html, plain
from pipeline.template.values import text as text_of

_TITLE: Final = re.compile(r"([-\s({\[<]+)")
_BLACK: Final = re.compile(r"\S+")
_WORD: Final = re.compile(r"\w+")
_TAG: Final = re.compile(r"<!--.*?-->|<[^<>]*>", re.DOTALL)
_REFERENCE: Final = re.compile(r"&(#?\w{1,32};)")


def words(context: Context, value: Any) -> str:
    """The text of a value, on its way through a filter."""
    found = plain(value, context)
    meter_of(context).make(len(found))
    return found


def like(text: str, result: str) -> str:
    """The result, HTML if the text is."""
    return Markup(result) if isinstance(text, Markup) else result  # noqa: S704 - nothing was added to it


def upper(context: Context, value: Any) -> str:
    """In capitals."""
    return words(context, value).upper()


def lower(context: Context, value: Any) -> str:
    """In small letters."""
    return words(context, value).lower()


def capitalize(context: Context, value: Any) -> str:
    """The first letter a capital, the others small."""
    return words(context, value).capitalize()


def title(context: Context, value: Any) -> str:
    """Each word with a capital."""
    found = words(context, value)
    meter_of(context).step(len(found) // 4)
    pieces = _TITLE.split(str.__str__(found))
    return "".join(piece[:1].upper() + piece[1:].lower() for piece in pieces)


def trim(context: Context, value: Any, chars: str | None = None) -> str:
    """Without blanks at either end."""
    return words(context, value).strip(chars)


def center(context: Context, value: Any, width: int = 80) -> str:
    """In the middle of a line of so many characters."""
    return words(context, value).center(width_of(width))


def indent(
    context: Context,
    value: Any,
    width: int | str = 4,
    first: bool = False,
    blank: bool = False,
) -> str:
    """Each line but the first moved to the right."""
    found = words(context, value)
    before = width if isinstance(width, str) else " " * width_of(width)
    lines = str.__str__(found).splitlines() or [""]
    if found.endswith("\n"):
        lines.append("")
    meter_of(context).make(len(found) + len(lines) * len(before))
    moved = [before + line if (line or blank) and (number or first) else line for number, line in enumerate(lines)]
    return like(found, "\n".join(moved))


def truncate(
    context: Context,
    value: Any,
    length: int = 255,
    killwords: bool = False,
    end: str = "...",
    leeway: int = 5,
) -> str:
    """Not longer than so many characters, with dots for what is left out."""
    found = words(context, value)
    if length < len(end) or leeway < 0:
        raise Failed(f"`truncate` cannot make a text shorter than its end, `{end[:20]}`")
    if len(found) <= length + leeway:
        return found
    kept = found[: length - len(end)]
    return (kept if killwords else kept.rsplit(" ", 1)[0]) + end


def wordwrap(
    context: Context,
    value: Any,
    width: int = 79,
    break_long_words: bool = True,
    wrapstring: str = "\n",
    break_on_hyphens: bool = True,
) -> str:
    """In lines of at most so many characters."""
    found = words(context, value)
    wrapper = TextWrapper(
        width=max(width_of(width), 1),
        expand_tabs=False,
        replace_whitespace=False,
        break_long_words=break_long_words,
        break_on_hyphens=break_on_hyphens,
    )
    meter_of(context).make(len(found) * (1 + len(wrapstring)))
    for word in _BLACK.finditer(found):
        # The standard library looks at each character of a long word as often as the word is long.
        meter_of(context).step(1 + (word.end() - word.start()) ** 2 // CHARACTERS_A_STEP)
    lines = [wrapstring.join(wrapper.wrap(line)) for line in str.__str__(found).splitlines()]
    return wrapstring.join(lines)


def wordcount(context: Context, value: Any) -> int:
    """How many words there are."""
    found = words(context, value)
    meter_of(context).step(len(found) // 4)
    return sum(1 for _ in _WORD.finditer(found))


def striptags(context: Context, value: Any) -> str:
    """The text without the tags of HTML, blanks as one."""
    found = str.__str__(words(context, value))
    meter_of(context).step(4 + len(found) // 4)
    return Markup(" ".join(_without_tags(found).split())).unescape()  # noqa: S704 - made text again at once


def _without_tags(text: str) -> str:
    # A comment that is not closed is looked for once, not from each `<!--` again.
    head, mark, rest = text.rpartition("-->")
    return _TAG.sub("", head + mark) + re.sub(r"<[^<>]*>", "", rest)


def replace(
    context: Context,
    value: Any,
    old: Any,
    new: Any,
    count: int | None = None,
) -> str:
    """Another text in the place of each `old`."""
    found, before, after = plain(value, context), plain(old, context), plain(new, context)
    if context.eval_ctx.autoescape and not isinstance(found, Markup):
        if isinstance(before, Markup) or isinstance(after, Markup):
            found = Markup(escape_text(found))  # noqa: S704 - it is escaped here
    elif not context.eval_ctx.autoescape:
        found, before, after = (str.__str__(each) for each in (found, before, after))
    return replaced(context, found, before, after, -1 if count is None else count)


def join(context: Context, value: Any, d: Any = "", attribute: Any = None) -> str:
    """The items of a list as one text."""
    get = getter(context, attribute)
    separator = plain(d, context)
    parts: list[Any] = []
    for item in meter_of(context).each(value, 2):
        if parts:
            parts.append(separator)
        parts.append(get(item))
    return joined(context, bool(context.eval_ctx.autoescape), *parts)


def escape(context: Context, value: Any) -> Markup:
    """Safe to stand in HTML; what is HTML already stays."""
    return Markup(html(value, context))  # noqa: S704 - it is escaped


def forceescape(context: Context, value: Any) -> Markup:
    """Safe to stand in HTML, what is HTML already being escaped once more."""
    return Markup(escape_text(text_of(value, context)))  # noqa: S704 - it is escaped


def safe(context: Context, value: Any) -> Markup:
    """As HTML, without being escaped: for texts that come from people who may write the mail."""
    return Markup(text_of(value, context))  # noqa: S704 - this is what the filter is for


def string(context: Context, value: Any) -> str:
    """As text."""
    return words(context, value)


def format_(context: Context, value: Any, *args: Any, **named: Any) -> str:
    """A text with `%s`, `%d` or `%.2f` where values go."""
    if args and named:
        raise Failed("`format` takes values in order or by name, not both")
    return percent(plain(value, context), named or args, context)


def urlencode(context: Context, value: Any) -> str:
    """As a part of a URL; of an object or of pairs, a query."""
    if isinstance(value, Undefined):
        raise Missing(value)
    if isinstance(value, str) or not isinstance(value, dict | list | tuple):
        return _quoted(context, value, "/")
    pairs = value.items() if isinstance(value, dict) else value
    parts = []
    for pair in meter_of(context).each(pairs, 4):
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            raise Failed(f"`urlencode` takes text, an object, or pairs, not a list with {a_kind(pair)}")
        parts.append("=".join(_quoted(context, each, "").replace("%20", "+") for each in pair))
    return "&".join(parts)


def _quoted(context: Context, value: Any, safe_: str) -> str:
    found = str.__str__(words(context, value))
    meter_of(context).make(3 * len(found))
    return quote(found.encode("utf-8", "surrogatepass"), safe=safe_)


def nl2br(context: Context, value: Any) -> str:
    """In HTML each line on a line of its own; in text as it is."""
    if not context.eval_ctx.autoescape:
        return words(context, value)
    found = html(value, context)
    meter_of(context).make(5 * len(found))
    return Markup("<br>\n".join(found.splitlines()))  # noqa: S704 - it is escaped


def markdown(context: Context, value: Any) -> str:
    """In HTML the text with its Markdown carried out; in text as it is, for it is made to be read so."""
    found = str.__str__(words(context, value))
    if not context.eval_ctx.autoescape:
        return found
    meter_of(context).step(10 + len(found))
    result = markdown_html(found)
    meter_of(context).make(len(result))
    return Markup(result)  # noqa: S704 - it is escaped
