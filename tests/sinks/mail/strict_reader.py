"""A reader of mail that takes what the RFCs allow a writer of today and nothing else: no obsolete forms, no repairs."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from tests.sinks.mail.seen import ADDRESSES, Boxes, Branch, Leaf, Seen, Tree, is_further

word = re.compile(r"=\?utf-8\?([qb])\?([!->@-~]+)\?=")  # RFC 2047 section 2, in the charset that is written
q_text = re.compile(r"(?:[A-Za-z0-9!*+/_-]|=[0-9A-F]{2})+")  # what may stand in a phrase may stand anywhere
atom = re.compile(r"[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~\u0080-\U0010ffff]+")
quoted = re.compile(r'"((?:[ !#-\[\]-~\u0080-\U0010ffff]|\\[ -~])*)"')
dot_atom = re.compile(rf"{atom.pattern}(?:\.{atom.pattern})*")
domain_literal = re.compile(r"\[[!-Z^-~]*\]")
field_line = re.compile(r"([!-9;-~]+): ([^\x00-\x1f\x7f]*)")
parameter = re.compile(
    r"; ?([!#$%&'*+\-.^_`{|}~0-9A-Za-z]+)=(?:([!#$%&'*+\-.^_`{|}~0-9A-Za-z]+)|" + quoted.pattern + ")"
)
media_type = re.compile(r"[a-z0-9.+-]+/[a-z0-9.+-]+")
quoted_printable = re.compile(rb"(?:[\t -<>-~]|=[0-9A-F]{2})*=?")
base64 = re.compile(rb"[A-Za-z0-9+/]*={0,2}")


class Field(NamedTuple):
    """A field of a header, unfolded."""

    name: str
    value: str


def read(content: bytes) -> Seen:
    """What the mail says, or AssertionError."""
    assert b"\0" not in content, "NUL"
    assert re.search(rb"\r(?!\n)|(?<!\r)\n", content) is None, "a lone CR or LF"
    assert content.endswith(b"\r\n"), "the last line has no end"
    assert all(len(line) <= 998 for line in content.split(b"\r\n")), "a line of more than 998 bytes"
    header, body = split(content)
    fields = list(unfolded(header.decode()))
    values = {name.lower(): value for name, value in fields}
    assert len(values) == len(fields), "a field is there twice"
    assert values["mime-version"] == "1.0", "MIME-Version"
    return Seen(
        tuple(name for name, _ in fields),
        tuple(boxes(values[name]) if name in values else () for name in ADDRESSES),
        unstructured(values.get("subject", "")),
        tuple((name, unstructured(value)) for name, value in fields if is_further(name)),
        part(values, body),
    )


def split(content: bytes) -> tuple[bytes, bytes]:
    """Header and body."""
    header, end, body = content.partition(b"\r\n\r\n")
    assert end, "the header has no end"
    return header, body


def unfolded(header: str) -> Iterator[Field]:
    """The fields; lines are short where they can be."""
    whole = ""
    for line in header.split("\r\n"):
        assert line.strip(" "), "a line of nothing but spaces"
        assert not line.startswith("\t"), "folded with a tab"
        text = quoted.sub("q", line.strip(" ").partition(": ")[2] if line[0] != " " else line.strip(" "))
        assert len(line) <= 78 or " " not in text, f"could be folded: {line!r}"
        if word.search(line):
            assert len(line) <= 76, f"a line with an encoded word of {len(line)} characters"
        if line.startswith(" "):
            assert whole, "the header begins in the middle of a field"
            whole += line
            continue
        if whole:
            yield field(whole)
        whole = line
    yield field(whole)


def field(text: str) -> Field:
    """One field."""
    found = field_line.fullmatch(text)
    assert found, f"not a field: {text!r}"
    assert found[2].strip(" ") == found[2].rstrip(" ").lstrip(" ") != "", f"an empty field: {text!r}"
    return Field(found[1], found[2].lstrip(" "))


def decoded(found: re.Match[str]) -> str:
    """An encoded word: at most 75 characters that are text by themselves."""
    assert len(found[0]) <= 75, f"an encoded word of {len(found[0])} characters"
    if found[1] == "b":
        return binascii.a2b_base64(found[2], strict_mode=True).decode()
    assert q_text.fullmatch(found[2]), f"not the Q encoding: {found[0]}"
    return unquote_to_bytes(found[2].replace("_", " ").replace("=", "%")).decode()


def unstructured(value: str) -> str:
    """Free text: encoded words stand by themselves, and spaces between two of them are not there."""
    done = ""
    after_word = False
    for spaces, token in re.findall(r"( *)([^ ]+)", value):
        found = word.fullmatch(token)
        if found:
            done += ("" if after_word else spaces) + decoded(found)
        else:
            assert "=?" not in token, f"half an encoded word: {token}"
            done += spaces + token
        after_word = found is not None
    return done


def boxes(value: str) -> Boxes:
    """A list of mailboxes (RFC 5322 section 3.4), without groups and comments."""
    at = 0
    found = []
    while True:
        name, at = phrase(value, at)
        at = skip(value, at)
        if value[at : at + 1] == "<":
            address, at = addr_spec(value, at + 1)
            assert value[at] == ">", f"no end of the address: {value[at:]!r}"
            at += 1
        else:
            assert not name, f"a name without an address: {value!r}"
            address, at = addr_spec(value, at)
        found.append((name, address))
        at = skip(value, at)
        if at == len(value):
            return tuple(found)
        assert value[at] == ",", f"neither the end nor a comma: {value[at:]!r}"
        at = skip(value, at + 1)


def skip(value: str, at: int) -> int:
    """Go past spaces."""
    while value[at : at + 1] == " ":
        at += 1
    return at


def phrase(value: str, at: int) -> tuple[str, int]:
    """The name before an angle bracket; without a bracket nothing is one."""
    bracket = re.compile(rf"(?:{quoted.pattern}|[^\",<])*<").match(value, at)
    if bracket is None:
        return "", at
    done = ""
    after_word = False
    while True:
        spaces = skip(value, at) - at
        at += spaces
        between = " " * bool(done and spaces)
        if value[at] == "<":
            return done, at
        if found := word.match(value, at):
            done += ("" if after_word else between) + decoded(found)
        elif found := quoted.match(value, at):
            done += between + re.sub(r"\\(.)", r"\1", found[1])
        else:
            found = atom.match(value, at)
            assert found, f"not a phrase: {value[at:]!r}"
            assert "=?" not in found[0], f"half an encoded word: {found[0]}"
            done += between + found[0]
        after_word = word.fullmatch(found[0]) is not None
        at = found.end()


def addr_spec(value: str, at: int) -> tuple[str, int]:
    """An address."""
    local = dot_atom.match(value, at) or quoted.match(value, at)
    assert local, f"no local part: {value[at:]!r}"
    assert value[local.end()] == "@", f"no @: {value[at:]!r}"
    domain = dot_atom.match(value, local.end() + 1) or domain_literal.match(value, local.end() + 1)
    assert domain, f"no domain: {value[at:]!r}"
    return value[at : domain.end()], domain.end()


def parameters(value: str) -> tuple[str, dict[str, str]]:
    """A value with its parameters, extended ones and sections decoded (RFC 2231)."""
    first, separator, _ = value.partition(";")
    at = len(first)
    raw: dict[str, str] = {}
    while separator and at < len(value):
        found = parameter.match(value, at)
        assert found, f"not a parameter: {value[at:]!r}"
        assert found[1] not in raw, f"a parameter is there twice: {found[1]}"
        raw[found[1]] = found[2] if found[2] is not None else re.sub(r"\\(.)", r"\1", found[3])
        at = found.end()
    done = {name: text for name, text in raw.items() if "*" not in name}
    for name in {name.partition("*")[0] for name in raw if "*" in name}:
        if f"{name}*" in raw:
            text = raw[f"{name}*"]
        else:
            sections = [raw[f"{name}*{number}*"] for number in range(sum(key.startswith(f"{name}*") for key in raw))]
            text = "".join(sections)
        assert text.startswith("utf-8''"), f"no charset: {text}"
        assert name not in done, f"{name} is there in two forms"
        done[name] = unquote_to_bytes(text.removeprefix("utf-8''")).decode()
    return first, done


def part(values: dict[str, str], body: bytes) -> Tree:
    """A part and what is in it."""
    kind, given = parameters(values["content-type"])
    assert media_type.fullmatch(kind), f"not a type: {kind}"
    encoding = values.get("content-transfer-encoding", "7bit")
    if kind.startswith("multipart/"):
        assert encoding in {"7bit", "8bit"}, f"a multipart in {encoding}"
        assert body.isascii() or encoding == "8bit", "8-bit content in a 7-bit part"
        return Branch(kind, tuple(sub_part(one) for one in parts(body, given["boundary"].encode())))
    disposition, about = parameters(values.get("content-disposition", ""))
    content = transferred(body, encoding)
    if kind == "message/rfc822":
        header, _ = split(content)
        content = next(line[9:] for line in header.split(b"\r\n") if line.startswith(b"Subject: "))
    content_id = values.get("content-id", "<>")
    assert content_id == "<>" or re.fullmatch(r"<[!-;=?-~]+@[!-;=?-~]+>", content_id), f"not an id: {content_id}"
    return Leaf(kind, content, about.get("filename", ""), disposition, content_id[1:-1])


def sub_part(content: bytes) -> Tree:
    """A part of a multipart."""
    header, body = split(content)
    fields = list(unfolded(header.decode("ascii")))
    assert all(name.startswith("Content-") for name, _ in fields), "a field that says nothing of a part"
    return part({name.lower(): value for name, value in fields}, body)


def parts(body: bytes, boundary: bytes) -> list[bytes]:
    """The parts between the boundaries; nothing is before the first and after the last."""
    assert re.fullmatch(rb"[0-9A-Za-z'()+_,./:=?-]{1,70}", boundary), f"not a boundary: {boundary!r}"
    line = b"\r\n--" + boundary
    before, *found, after = (b"\r\n" + body).split(line)
    assert not before, f"before the first part: {before!r}"
    assert after == b"--\r\n", f"after the last part: {after!r}"
    assert all(one.startswith(b"\r\n") for one in found), "a boundary within a line"
    return [one[2:] for one in found]


def transferred(body: bytes, encoding: str) -> bytes:
    """The content of a part."""
    if encoding == "7bit":
        assert body.isascii(), "8-bit content as 7bit"
        return body
    if encoding == "8bit":
        return body
    lines = body.split(b"\r\n")
    assert all(len(line) <= 76 for line in lines), f"a line of more than 76 bytes in {encoding}"
    if encoding == "base64":
        assert all(base64.fullmatch(line) for line in lines), "not base64"
        return binascii.a2b_base64(body.replace(b"\r\n", b""), strict_mode=True)
    assert encoding == "quoted-printable", f"no such encoding: {encoding}"
    for line in lines:
        assert quoted_printable.fullmatch(line), f"not quoted-printable: {line!r}"
        assert line[-1:] not in {b" ", b"\t"}, f"a space at the end: {line!r}"
    assert not lines[-1].endswith(b"="), "a soft line break at the end"
    joined = b"".join(line[:-1] if line.endswith(b"=") else line + b"\r\n" for line in lines).removesuffix(b"\r\n")
    return re.sub(rb"=([0-9A-F]{2})", lambda found: binascii.unhexlify(found[1]), joined)
