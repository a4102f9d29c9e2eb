"""Which values are secrets, and where they stand in a text. No I/O.

The tree tells where the values are. The text is searched too: of a key given twice the tree holds one value, and what
did not parse is not in the tree at all. Where it is not clear where a secret ends, more is masked rather than less.
Time is linear in the text: patterns take what they can and do not give back, and no part is searched for two names.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator
from difflib import SequenceMatcher
from functools import lru_cache
from itertools import pairwise
from typing import Final

from pipeline.config.comments import FREE
from pipeline.config.strings import Offsets
from pipeline.config.tree import Array, Broken, Document, Node, Object, Scalar, walk
from pipeline.logins import logins, logins_of, passwords
from pipeline.scrub import LONGEST_WORD
from pipeline.secret import MASK

Interval = tuple[int, int]

# What stands for a whole value, in quotes, so that a value stays a value.
SHOWN: Final = f'"{MASK}"'

# Names that hold secrets, and what is near to one of them.
_words = ("password", "passwd", "passphrase", "secret", "token", "apikey", "credential")
_CUTOFF: Final = 0.75
_compared = (*_words, "private", "access", "key")
_without_letters = {word: dict.fromkeys(map(ord, word)) for word in _compared}
# For each letter the places it has in a word, as bits.
_places = {word: {c: sum(1 << at for at, d in enumerate(word) if c == d) for c in word} for word in _compared}
_exact_words = frozenset({"pwd", "authorization", "bearer", "jwt"})
_FEWEST_LETTERS: Final = 3
_last_words = frozenset({"pass", "pw"})
_within = re.compile(
    r"""password|passwd|passphrase|credential|(?:api|private|access|secret)key|(?:secret|token)s?\Z
    | \A(?:admin|app|auth|db|login|mail|my|proxy|root|smtp|ssh|user)(?:pass|pwd|pw)\Z""",
    re.VERBOSE,
)
_locks = frozenset({"access", "api", "encryption", "master", "private", "shared", "signing", "ssh"})
# Words of their own that are near to a secret one.
_harmless_words = frozenset(
    {"accepts", "denial", "incremental", "paraphrase", "pass", "passage", "passed", "passes", "passport", "passports"}
    | {"phrase", "phrases", "privately", "referential", "secretariat", "secretaries", "secretary", "sect", "secure"}
    | {"secured", "secures", "securely", "success", "taken", "ten", "tokenise", "tokenize"}
)
# A name that ends with one of these tells something about a secret, or where it is.
_about = frozenset(
    {"age", "algorithm", "column", "count", "days", "dir", "directory", "endpoint", "expires", "expiry", "field"}
    | {"file", "folder", "format", "header", "hours", "length", "limit", "minutes", "name", "path", "policy", "prompt"}
    | {"property", "seconds", "size", "template", "timeout", "ttl", "type", "uri", "url"}
)
_measures = frozenset({"max", "min", "num", "count"})
# The cache has room for all names of the largest document, if they are of usual length.
_LONGEST_CACHED: Final = 64
_parts = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[^\W_A-Z]++")

# A reference, rightly written or not; also what only looks like one.
_reference = re.compile(
    r"""\$(?:ENV|SECRET)
    (?: \([^()$\n]{0,200}+\)? | [ ]{0,3} (?: \([\w.\-]{1,200}+\) | \[[\w.\-]{1,200}+\] | \{[\w.\-]{1,200}+\} ) )""",
    re.IGNORECASE | re.VERBOSE,
)
_quotes: Final = "\"'"
_pairs: Final = frozenset({'""', "''"})
# What can stand beside a whole value. Beside other characters a place is a part of one.
_sides: Final = frozenset({"", *_quotes, *" \t\r\n:=,;[]{}"})
# So much is shown of what follows the place where reading stopped.
_BEYOND: Final = 1000
_literals = frozenset({"", "null", "true", "false", "None", "True", "False"})

# A name that a value can follow. The second kind stands where a property begins and has lost quotes and colon.
_names = {
    False: re.compile(r"""(?<![\w.\-])(?P<name>[\w.\-]++)(?="\s*+:)(?P<begins>)"""),
    True: re.compile(
        r"""(?<![\w.\-])(?P<name>[\w.\-]++)(?: (?=\\*+["'`]) | (?=\s*+[:=]) | (?=[^\w"'\[\n:=]*+[:=]) | (?=\s++["']) )
        | (?:\A|[\n{,])[ \t"']*+(?P<begins>[\w.\-]++)(?=[ \t]++\S)""",
        re.VERBOSE,
    ),
}
_after_name = re.compile(r"""(?P<quote>\\*+["'`]?+)\s*+(?P<sign>(?:[:=]++>?+)?+)\s*+""")
_not_a_colon = re.compile(r"""[^\w"'\[\n]++""")
_quoted_key = re.compile(r"""["'][^"'\n]*+["']\s*+:""")
_bare_key = re.compile(r"[\w.\-]++[ \t]*+:")
_after_key = re.compile(r"\s*+:")

# What a string can hold that matters for its end: an escape, a quote, the end of a line.
_stops = {quote: re.compile(rf"\\[^\n]|{quote}|\n") for quote in "\"'"}
# A quote ends a string when this follows; any other quote belongs to a secret that has quotes itself.
_after_string = re.compile(
    r"""[ \t]*+(?: [}\]:;\r\n] | \Z | // | /\*
        | ["'][^"'\n]*+["'][ \t]*+:
        | ,[ \t]*+ (?: ["'\[{}\]$\r\n/] | \Z | [\w.\-]++[ \t]*+[:,\]}] ) )""",
    re.VERBOSE,
)
_next_property = re.compile(r"""[ \t]*+(?:["'][^"'\n]*+["'][ \t]*+:|[,}\]])""")
_bare_stop = re.compile(r"[,}\]\n]")
_after_closer = re.compile(r"[ \t]*+(?:[,}\]\r\n]|\Z)")
_after_stop = {
    "\n": _next_property,
    ",": re.compile(r"""[ \t]*+(?:["'}\]\r\n/]|\Z|[\w.\-]++[ \t]*+:)"""),
}
_token = re.compile(r"""["':\[{\]}]|[^\s,:\[\]{}"']++""")


def is_secret_name(name: str) -> bool:
    """Whether a property with this name holds a secret; also when the name is misspelt."""
    if len(name) > _LONGEST_CACHED:
        return _judge(name)
    # A number after a word decides nothing, and of numbered names there are as many as a document has room for.
    word = name.rstrip("0123456789")
    return _is_secret_name(word if word[-1:].islower() else name)


@lru_cache(maxsize=1 << 17)
def _is_secret_name(name: str) -> bool:
    return _judge(name)


def _judge(name: str) -> bool:
    parts = [part.lower() for part in _parts.findall(name)]
    # Numbered names (`k1`, `k2`, …) come by the hundred thousand, and looking for what they are near to is slow.
    words = [part.rstrip("0123456789") for part in parts]
    if not parts or words[-1] in _about or parts[0] in _measures:
        return False
    if words[-1] in _last_words or any(_is_secret_word(word) for word in words):
        return True
    return any(
        first + second in _words or (_is_key(second) and _opens_a_lock(first)) for first, second in pairwise(words)
    )


@lru_cache(maxsize=1 << 13)
def _is_secret_word(part: str) -> bool:
    if part in _harmless_words or len(part) < _FEWEST_LETTERS:
        return False
    return part in _exact_words or _within.search(part) is not None or any(_near(part, word) for word in _words)


@lru_cache(maxsize=1 << 13)
def _is_key(part: str) -> bool:
    return part in {"key", "keys", "kye"} or _near(part, "key")


def _opens_a_lock(part: str) -> bool:
    return part in _locks or (part not in _harmless_words and any(_near(part, word) for word in ("private", "access")))


def _near(part: str, word: str) -> bool:
    """Whether difflib finds the two alike. It is slow, so two upper bounds of what it can find come first."""
    needed = _CUTOFF * (len(part) + len(word)) / 2
    if needed > min(len(part), len(word)) or needed > len(part) - len(part.translate(_without_letters[word])):
        return False
    return _common(part, word) >= needed and SequenceMatcher(None, part, word).ratio() >= _CUTOFF


def _common(part: str, word: str) -> int:
    """The length of the longest common subsequence; the rows of its table are the bits of one number."""
    places = _places[word]
    row = full = (1 << len(word)) - 1
    for letter in part:
        hits = row & places.get(letter, 0)
        row = (row + hits) | (row - hits)
    return len(word) - (row & full).bit_count()


def secret_spans(document: Document, harmless: Container[str] = ()) -> list[Interval]:
    """The places of all secret values, in order, none touching another; strings with their quotes.

    `harmless` are names that hold no secret in this document, however they sound.
    """
    torn = document.root is None or bool(document.problems)
    length = end = len(document.text)
    if document.cut:
        # What is not read is not looked through either: all of it is hidden.
        end = min(length, max(problem.span.end for problem in document.problems) + _BEYOND)
    text = document.text[:end]
    found = [*_in_tree(document, harmless), *_in_text(text, harmless, torn=torn), *_logins(document)]
    return merged([*found, (end, length)], length)


def secrets_in_clear(document: Document, spans: Iterable[Interval]) -> Iterator[str]:
    """What stands at the places of all secret values: strings and numbers, and the passwords of logins in URLs."""
    places = set(spans)
    for node in walk(document.root) if document.root and places else ():
        if isinstance(node, Scalar):
            if (node.start, node.end) in places:
                text = node.value if isinstance(node.value, str) else document.text[node.start : node.end]
                # A number of few digits is in every text, and few of them are passwords.
                if isinstance(node.value, str) or len(text) > LONGEST_WORD:
                    yield text
            if isinstance(node.value, str):
                yield from passwords(node.value)


def shown_for(text: str, start: int, end: int, *, part: bool = False) -> str:
    """What stands for a masked place: eight asterisks whatever its length, with quotes where it is a whole value.

    `part`: it is known to be a part of one.
    """
    if text[start] in _quotes or text[end - 1] in _quotes:
        return SHOWN
    before, after = text[max(0, start - 1) : start], text[end : end + 1]
    whole = not part and before in _sides and after in _sides and before + after not in _pairs
    return SHOWN if whole else MASK


def masked(text: str, spans: Iterable[Interval]) -> str:
    """The text with a mask in the place of each span."""
    pieces: list[str] = []
    at = 0
    for start, end in merged(spans, len(text)):
        pieces += text[at:start], shown_for(text, start, end)
        at = end
    pieces.append(text[at:])
    return "".join(pieces)


def without_secrets(value: object) -> object:
    """A value that may be shown: without logins in URLs, and without what stands beside a secret name in it."""
    match value:
        case str():
            return masked(
                value, [*_in_text(value, torn=True), *((login.start, login.end) for login in logins_of(value))]
            )
        case dict():
            return {key: MASK if is_secret_name(str(key)) else without_secrets(item) for key, item in value.items()}
        case list():
            return [without_secrets(item) for item in value]
    return value


def merged(spans: Iterable[Interval], length: int) -> list[Interval]:
    """The same places inside a text of `length`, in order, one where they overlap or touch."""
    found: list[Interval] = []
    for first, last in sorted(spans):
        start, end = max(0, first), min(last, length)
        if start >= end:
            continue
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def _in_tree(document: Document, harmless: Container[str]) -> Iterator[Interval]:
    stack: list[tuple[Node, bool]] = [(document.root, False)] if document.root else []
    while stack:
        node, secret = stack.pop()
        match node:
            case Object():
                stack += [
                    (member.value, (secret and name not in FREE) or (name not in harmless and is_secret_name(name)))
                    for name, member in node.members.items()
                ]
            case Array():
                stack += [(item, secret) for item in node.items]
            case Scalar(value=str() as value) if secret and not _only_references(value):
                yield node.start, node.end
            case Scalar(value=int() | float() as value) if secret and not isinstance(value, bool):
                yield node.start, node.end
            case Broken() if secret and _is_secret(document.text[node.start : node.end]):
                yield node.start, node.end
            case _:
                pass


def _logins(document: Document) -> Iterator[Interval]:
    """Logins in URLs, wherever they stand in the text."""
    yield from ((login.start, login.end) for login in logins(document.text))
    # A password may have characters that its URL has no room for: where a value ends is known in the tree only.
    may_have = "://" in document.text or ":\\" in document.text
    for node in walk(document.root) if document.root and may_have else ():
        if isinstance(node, Scalar) and isinstance(node.value, str) and "@" in node.value and "://" in node.value:
            offsets = Offsets(document.text, node)
            yield from ((offsets.at(login.start), offsets.at(login.end)) for login in logins_of(node.value))


def _only_references(value: str) -> bool:
    """Whether a string tells nothing but where its value comes from, rightly written or not."""
    rest, count = _reference.subn("", value)
    return count > 0 and not rest.strip(") \t")


def _is_secret(raw: str) -> bool:
    """Whether what stands in the place of a value, unquoted, can be a secret."""
    return raw.strip("* \t\r\n") not in _literals and not _only_references(raw)


def _in_text(text: str, harmless: Container[str] = (), *, torn: bool) -> Iterator[Interval]:
    """Values after secret names; in a text that parsed, a name is what ends with a quote and has a colon."""
    if text.isspace():
        return  # ten million line breaks are as many places where a name could begin
    at = 0
    while found := _names[torn].search(text, at):
        at = found.end()
        name = found["name"] or found["begins"]
        if name in harmless or not is_secret_name(name):
            continue
        value = _value_after(text, at, torn=torn, begins=bool(found["begins"]))
        if value < 0:
            continue
        # A file of `NAME=value` lines has one line a value.
        spans, at = _value_spans(text, value, one_line="=" in text[at:value])
        yield from spans


def _value_after(text: str, name_end: int, *, torn: bool, begins: bool) -> int:
    """Where the value of a name begins, or -1 when it has none. `begins`: the name stands where a property begins."""
    after = _after_name.match(text, name_end)
    if after is None or after.end() == len(text):
        return -1
    quote, sign, value = after["quote"], after["sign"], after.end()
    if not torn:
        return value
    closed = quote != "" and "\\" not in quote
    if text[value] in ",}]" or (not sign and text[value] in ";.{)$/#>"):
        return _value_after_junk(text, name_end + len(quote), closed=closed)
    apart = "\n" in text[name_end:value]
    if ((apart or not sign) and _quoted_key.match(text, value)) or (apart and _bare_key.match(text, value)):
        return -1
    if sign or quote:
        return value if sign or closed else -1
    # A colon is missing after a name without quotes: prose, unless it stands where a property begins.
    separate = value > name_end
    return value if separate and (text[value] in "\"'" or (begins and not apart)) else -1


def _value_after_junk(text: str, at: int, *, closed: bool) -> int:
    """The same when something else stands where the colon belongs, such as a comma; only on the same line."""
    junk = _not_a_colon.match(text, at)
    if junk is None or not (closed or ":" in junk[0] or "=" in junk[0]):
        return -1
    value = junk.end()
    is_value = value < len(text) and text[value] != "\n"
    return value if is_value and not _quoted_key.match(text, value) and not _bare_key.match(text, value) else -1


def _value_spans(text: str, start: int, *, one_line: bool) -> tuple[list[Interval], int]:
    """The secrets in the value that begins here, and where it ends."""
    first = text[start]
    if first in "[{":
        return _inside(text, start)
    if first in "\"'":
        end = _string_end(text, start)
        return _unless_reference(text, start, end), end
    end = _bare_end(text, start, one_line=one_line)
    return ([(start, end)] if _is_secret(text[start:end]) else []), max(end, start)


def _unless_reference(text: str, start: int, end: int) -> list[Interval]:
    return [] if _only_references(text[start:end].strip("\"'")) else [(start, end)]


def _string_end(text: str, start: int) -> int:
    """Where a string ends that may not be closed, may run over lines, may hold quotes that are not escaped."""
    quote = text[start]
    at = start + 1
    while stop := _stops[quote].search(text, at):
        at = stop.end()
        if stop[0] == quote and _after_string.match(text, at):
            return at
        if stop[0] == "\n" and _next_property.match(text, at):
            return start + len(text[start : stop.start()].rstrip())
    return len(text)


def _bare_end(text: str, start: int, *, one_line: bool) -> int:
    """Where a value without quotes ends; it may hold commas and brackets, and run over lines unless told."""
    at = start
    while stop := _bare_stop.search(text, at):
        at = stop.end()
        follows = _after_stop.get(stop[0], _after_closer)
        ends = stop[0] == "\n" if one_line else follows.match(text, at) is not None
        if ends:
            return start + len(text[start : stop.start()].rstrip())
    return start + len(text[start:].rstrip())


def _inside(text: str, start: int) -> tuple[list[Interval], int]:
    """The values in the list or object that begins here, up to its end."""
    spans: list[Interval] = []
    depth, at, valued, name = 0, start, False, ""
    while token := _token.search(text, at):
        at = token.end()
        if token[0] in "[{":
            depth += 1
        elif token[0] in "]}":
            depth -= 1
            if depth == 0:
                return spans, at
        elif token[0] != ":":
            quoted = token[0] in "\"'"
            at = _string_end(text, at - 1) if quoted else at
            if not valued and _after_key.match(text, at):
                name = text[token.start() : at].strip(_quotes)
            elif name not in FREE and (quoted or _is_secret(token[0])):
                spans += _unless_reference(text, token.start(), at)
        valued = token[0] == ":"
    return spans, len(text)
