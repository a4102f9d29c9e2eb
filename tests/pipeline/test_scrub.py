"""Registered values do not get through, in any form; other text does."""

from __future__ import annotations

import base64
import html
import json
import pprint
import re
import traceback
import urllib.parse
from collections.abc import Callable

import markupsafe
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pipeline.escapes import LONGEST_NESTED, spellings_of
from pipeline.scrub import FEW, Scrubber
from pipeline.secret import MASK, Secret

PLAIN = "correct-horse+battery/staple"
HARD = "p@ss/w\"o'rd\\é ü <&>\n%+=\t~"

FORMS: dict[str, Callable[[str], str]] = {
    "raw": str,
    "json": json.dumps,
    "json in utf-8": lambda value: json.dumps(value, ensure_ascii=False),
    "json in json": lambda value: json.dumps(json.dumps({"password": value})),
    "json with upper hex": lambda value: upper_hex(json.dumps(value)),
    "json with escaped slashes": lambda value: json.dumps(value).replace("/", "\\/"),
    "json for html": lambda value: str(markupsafe.Markup(html_safe_json(value))),
    "repr": repr,
    "repr of repr": lambda value: repr(repr(value)),
    "ascii": ascii,
    "repr among both quotes": lambda value: repr(f"'\"{value}"),
    "repr of bytes": lambda value: repr(value.encode()),
    "repr of bytes among both quotes": lambda value: repr(f"'\"{value}".encode()),
    "repr in json": lambda value: json.dumps(repr([value])),
    "backslashreplace": lambda value: value.encode("ascii", "backslashreplace").decode(),
    "html text": lambda value: html.escape(value, quote=False),
    "html attribute": html.escape,
    "html of a template": lambda value: str(markupsafe.escape(value)),
    "html with numbers": lambda value: html.escape(value).encode("ascii", "xmlcharrefreplace").decode(),
    "json in html": lambda value: html.escape(json.dumps(value)),
    "url": urllib.parse.quote,
    "url without slashes": lambda value: urllib.parse.quote(value, safe=""),
    "url with plus": urllib.parse.quote_plus,
    "url as a form": lambda value: urllib.parse.urlencode({"password": value}),
    "url with lower hex": lambda value: lower_percent(urllib.parse.quote(value, safe="")),
    "url like encodeURIComponent": lambda value: urllib.parse.quote(value, safe="!*'()"),
    "url in url": lambda value: urllib.parse.quote(urllib.parse.quote(value, safe=""), safe=""),
    "hex": lambda value: value.encode().hex(),
    "upper hex": lambda value: value.encode().hex().upper(),
}

BASE64: dict[str, Callable[[bytes], str]] = {
    "standard": lambda data: base64.b64encode(data).decode(),
    "urlsafe": lambda data: base64.urlsafe_b64encode(data).decode(),
    "without padding": lambda data: base64.b64encode(data).decode().rstrip("="),
    "in a url": lambda data: urllib.parse.quote(base64.b64encode(data).decode(), safe=""),
    "in a url with lower hex": lambda data: lower_percent(urllib.parse.quote(base64.b64encode(data).decode(), safe="")),
    "in json with escaped slashes": lambda data: base64.b64encode(data).decode().replace("/", "\\/"),
}


def lower_percent(text: str) -> str:
    """Percent escapes with small letters."""
    return re.sub("%[0-9A-F]{2}", lambda match: match[0].lower(), text)


def upper_hex(text: str) -> str:
    """JSON's escapes with capital letters."""
    return re.sub(r"\\u[0-9a-f]{4}", lambda match: "\\u" + match[0][2:].upper(), text)


def html_safe_json(value: str) -> str:
    """JSON as templates put it into a script."""
    text = json.dumps(value)
    for character in "<>&'":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def scrubber(*values: str) -> Scrubber:
    """A scrubber that knows these values."""
    made = Scrubber()
    for value in values:
        made.add(Secret(value))
    return made


@pytest.mark.parametrize("value", [PLAIN, HARD, "hunter2hunter2", "ключ от почты", "🔑🔑🔑🔑"])
@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_masked(form: str, value: str) -> None:
    """The value in this form, within other words, is gone and the other words stay."""
    written = FORMS[form](value)
    scrubbed = scrubber(value).scrub(f"before «{written}» after")
    assert scrubbed.startswith("before «")
    assert scrubbed.endswith("» after")
    assert MASK in scrubbed
    assert not any(spelling in scrubbed for spelling in spellings_of(value))
    assert value.encode().hex() not in scrubbed.lower()


@pytest.mark.parametrize("before", [b"", b"a", b"ab", b"abc", b"\0post@example.com\0", b"user:"])
@pytest.mark.parametrize("after", [b"", b"z", b"zz", b"\x01\x01", b" and more text"])
@pytest.mark.parametrize("form", BASE64)
@pytest.mark.parametrize("value", [PLAIN, HARD, "four", "?>?>?>?>"])
def test_base64_is_masked_at_every_alignment(value: str, form: str, before: bytes, after: bytes) -> None:
    """Where a value is encoded together with something else, the characters that it decides are gone."""
    written = BASE64[form](before + value.encode() + after)
    scrubbed = scrubber(value).scrub(f"AUTH PLAIN {written}, then")
    assert scrubbed.startswith("AUTH PLAIN ")
    assert scrubbed.endswith(", then")
    left = scrubbed.removeprefix("AUTH PLAIN ").removesuffix(", then")
    assert MASK in left
    if form in {"standard", "urlsafe", "without padding"}:
        assert left == MASK


def test_the_logins_of_smtp_are_masked_whole() -> None:
    """Nothing of the base64 of a login is left, not even the part with the user name."""
    known = scrubber(PLAIN)
    for login in (f"\0kari@example.com\0{PLAIN}", PLAIN, f"user=kari\x01auth=Bearer {PLAIN}\x01\x01"):
        encoded = base64.b64encode(login.encode()).decode()
        assert known.scrub(f"C: {encoded}\r\nS: 235 2.7.0 ok") == f"C: {MASK}\r\nS: 235 2.7.0 ok"
    basic = base64.b64encode(f"kari:{PLAIN}".encode()).decode()
    assert known.scrub(f"Authorization: Basic {basic}") == f"Authorization: Basic {MASK}"


def test_several_base64_runs_are_masked_each() -> None:
    """Two runs with the value in one line, and a run that holds it twice."""
    one = base64.b64encode(f"a{PLAIN}".encode()).decode()
    two = base64.b64encode(f"{PLAIN}, {PLAIN}".encode()).decode()
    assert scrubber(PLAIN).scrub(f"{one} {two} {one}") == f"{MASK} {MASK} {MASK}"


def test_other_base64_stays() -> None:
    """Base64 without a registered value is not touched."""
    other = base64.b64encode(b"nothing to hide here at all").decode()
    assert scrubber(PLAIN, HARD).scrub(other) == other


def test_the_longer_value_wins() -> None:
    """Of two values where one begins like the other nothing is left beside the mask."""
    for order in (("secret", "secret-and-more"), ("secret-and-more", "secret")):
        assert scrubber(*order).scrub("x secret-and-more y secret z") == f"x {MASK} y {MASK} z"


def test_values_that_overlap_leave_nothing_between() -> None:
    """Where the end of one is the beginning of another, one mask covers both."""
    assert scrubber("abcd1234", "1234wxyz").scrub("[abcd1234wxyz]") == f"[{MASK}]"
    assert scrubber("abab").scrub("[ababab]") == f"[{MASK}]"


@pytest.mark.parametrize(
    ("value", "text", "scrubbed"),
    [
        ("cat", "the cat sat", "the ******** sat"),
        ("cat", "concatenate cats", "concatenate cats"),
        ("cat", "cat", "********"),
        ("cat", "a_cat cat_b", "a_cat cat_b"),
        ("cat", '"cat",cat=cat', '"********",********=********'),
        ("1", "1 of 11 and 1.", "******** of 11 and ********."),
        ("é", '"\\u00e9" née', '"********" née'),
        ("cats", "concatsenate", "con********enate"),
    ],
)
def test_very_short_values_are_masked_as_words(value: str, text: str, scrubbed: str) -> None:
    """Up to three characters must stand as a word; from four on a part of a word is masked too."""
    assert scrubber(value).scrub(text) == scrubbed


def test_very_short_values_leave_hex_and_base64_alone() -> None:
    """The encodings of one to three characters are in every text."""
    text = "61 port 616263 YWJj"
    assert scrubber("a", "abc").scrub(text) == text


def test_a_short_word_against_a_masked_value_is_masked_too() -> None:
    """What becomes a whole word because its neighbour was masked is found."""
    assert scrubber("abc", "S3cretS3cret").scrub("abcS3cretS3cret") == MASK


@given(
    st.lists(st.sampled_from(["ab", "S3cret", "x", "y", " ", MASK, "*", "http://", "@", ":", "xS3crety"]), max_size=12)
)
def test_places_are_what_scrubbing_takes_out(parts: list[str]) -> None:
    """With a mask in each of the places a text is scrubbed: nothing is left to be found in it."""
    known = scrubber("ab", "S3cret", f"x{MASK}y")
    text = "".join(parts)
    places = known.places(text)
    masked, done = "", 0
    for start, end in places:
        assert done <= start < end <= len(text)
        assert not masked or start > done
        masked, done = masked + text[done:start] + MASK, end
    assert masked + text[done:] == known.scrub(text)
    assert known.places(known.scrub(text)) == []


def test_logins_in_urls_are_masked_unregistered() -> None:
    """Whatever prints a URL, of user name and password nothing is told."""
    text = "cannot reach smtp://me:c4nary@mail.example.com:25/ and https://t0ken@example.com, mail to a@example.com"
    expected = f"cannot reach smtp://{MASK}@mail.example.com:25/ and https://{MASK}@example.com, mail to a@example.com"
    assert scrubber().scrub(text) == expected
    assert scrubber().scrub_bytes(text.encode()) == expected.encode()


@pytest.mark.parametrize("value", ["", " ", "    ", "*", "********", "* *", "\n"])
def test_what_hides_nothing_is_passed_over(value: str) -> None:
    """The empty value, blanks and asterisks do not turn texts into masks."""
    text = "a text    with * and ********\n"
    assert scrubber(value).scrub(text) == text


def test_lines_of_a_key_are_masked_one_by_one() -> None:
    """A value of several lines is found when it is printed with an indentation, or only in part."""
    key = "-----BEGIN KEY-----\nMIIEvQIBADANBgkq\nhkiG9w0BAQEFAASC\n-----END KEY-----\n"
    known = scrubber(key)
    indented = "".join(f"    {line}\n" for line in key.splitlines())
    assert known.scrub(indented) == f"    {MASK}\n" * 4
    assert known.scrub("got hkiG9w0BAQEFAASC here") == f"got {MASK} here"
    assert known.scrub(f"<{key}>") == f"<{MASK}>"


def test_blanks_round_a_value_do_not_matter() -> None:
    """A value that was stored with a blank or a line end is found when it is printed without."""
    assert scrubber(" hunter2hunter2\n").scrub("(hunter2hunter2)") == f"({MASK})"


def test_values_too_long_for_nesting_are_found_in_each_form() -> None:
    """A very long value is found raw and escaped once."""
    value = 'x"y' * LONGEST_NESTED
    known = scrubber(value)
    assert known.scrub(f"<{value}>") == f"<{MASK}>"
    assert known.scrub(json.dumps(value)) == f'"{MASK}"'


def test_text_without_values_is_returned_as_it_is() -> None:
    """Nothing is copied or changed when nothing is registered or nothing is found."""
    text = "some text " * 100
    assert Scrubber().scrub(text) is text
    assert scrubber(PLAIN).scrub(text) is text
    data = b"\xff\x00 bytes"
    assert Scrubber().scrub_bytes(data) is data


def test_bytes_are_scrubbed_and_kept() -> None:
    """UTF-8 is found among bytes that are no text, and those stay."""
    noise = bytes(range(256))
    for value in (PLAIN, HARD, "ключ от почты"):
        assert scrubber(value).scrub_bytes(noise + value.encode() + noise) == noise + MASK.encode() + noise


def test_adding_twice_and_plain_text_and_update() -> None:
    """A value may be text or a secret, may come again, and may come from another scrubber."""
    one = Scrubber()
    one.add(PLAIN)
    one.add(Secret(PLAIN))
    two = scrubber("another-value")
    two.update(one)
    two.update(two)
    assert two.scrub(f"{PLAIN} another-value") == f"{MASK} {MASK}"
    assert one.scrub("another-value") == "another-value"


def test_a_scrubber_tells_nothing_of_itself() -> None:
    """Its attributes, printed, hold none of the values."""
    known = scrubber(PLAIN, "hunter2hunter2")
    with pytest.raises(TypeError):
        vars(known)
    shown = pprint.pformat([getattr(known, name) for name in dir(known) if not name.startswith("__")]) + repr(known)
    assert "hunter2" not in shown
    assert PLAIN not in shown


values = st.text(min_size=4, max_size=40)
contexts = st.text(max_size=30)


@given(values, contexts, contexts, st.sampled_from(sorted(FORMS)))
def test_no_value_survives_in_any_context(value: str, before: str, after: str, form: str) -> None:
    """Whatever stands around it and however it is escaped, the value is not in the scrubbed text."""
    assume(value.strip("* \t\r\n"))
    try:
        written = FORMS[form](value)
    except UnicodeEncodeError:
        assume(False)
    scrubbed = scrubber(value).scrub(before + written + after)
    assert value not in scrubbed
    assert written not in scrubbed


@given(values, st.binary(max_size=20), st.binary(max_size=20), st.sampled_from(sorted(BASE64)))
def test_no_value_survives_in_base64(value: str, before: bytes, after: bytes, form: str) -> None:
    """No run of base64 in the scrubbed text decodes to something with the value in it."""
    assume(value.strip("* \t\r\n"))
    scrubbed = scrubber(value).scrub(f"<{BASE64[form](before + value.encode() + after)}>")
    text = urllib.parse.unquote(scrubbed).replace("\\/", "/").translate(str.maketrans("-_", "+/"))
    for run in re.findall("[A-Za-z0-9+/]+", text):
        for shift in range(4):
            part = run[shift:]
            decoded = base64.b64decode(part[: len(part) // 4 * 4])
            assert value.encode() not in decoded


@given(st.lists(st.text("ab*<é 1", max_size=6), max_size=4), st.lists(st.text("ab*<é 1", max_size=12), max_size=6))
def test_scrubbing_again_changes_nothing(known: list[str], pieces: list[str]) -> None:
    """Also with values that are short, overlap, or have asterisks of their own."""
    made = scrubber(*known)
    text = "".join(piece for pair in zip(pieces, [*known, *known, *known], strict=False) for piece in pair)
    once = made.scrub(text)
    assert made.scrub(once) == once
    assert made.scrub_bytes(once.encode()) == once.encode()


@given(st.lists(values, min_size=1, max_size=4), st.text(max_size=200))
def test_no_registered_value_is_left(known: list[str], text: str) -> None:
    """Of several values none is in the result, and text that held none is unchanged."""
    known = [value for value in known if value.strip("* \t\r\n")]
    made = scrubber(*known)
    scrubbed = made.scrub(text + "".join(known))
    assert not any(value in scrubbed for value in known if value.strip("*"))


def test_tracebacks_of_the_scrubber_do_not_show_values() -> None:
    """When scrubbing fails on something that is no text, the frames hold no value in their printed locals."""
    known = scrubber("hunter2hunter2")
    with pytest.raises(TypeError, match="only text can be scrubbed") as caught:
        known.scrub(5)  # type: ignore[arg-type]
    printed = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    assert "known = " in printed
    assert "hunter2" not in printed


def test_of_many_values_each_is_masked() -> None:
    """However many values are known and however alike they are, each is found in every form, short ones as words."""
    known = [f"hunter{number}!" for number in range(3 * FEW)] + ["ab", "?", "one\ntwo-hunters"]
    many = scrubber(*known)
    for value in (known[0], known[FEW], known[FEW + 1], known[3 * FEW - 1]):
        alone = scrubber(value)
        for write in FORMS.values():
            written = f"<{write(value)}>"
            assert many.scrub(written) == alone.scrub(written)
        for code in BASE64.values():
            for before in (b"", b"a", b"ab"):
                written = f"<{code(before + value.encode() + b'x')}>"
                assert many.scrub(written) == alone.scrub(written)
    assert many.scrub("ab ? cab two-hunters") == f"{MASK} {MASK} cab {MASK}"
    assert many.scrub(f"hunter{3 * FEW}!") == f"hunter{3 * FEW}!"
    assert len(many) == len({*known, "two-hunters"})


@given(st.lists(values, min_size=1, max_size=4), st.text(max_size=200))
def test_among_many_values_none_is_left(known: list[str], text: str) -> None:
    """What is found does not depend on how many other values are known."""
    known = [value for value in known if value.strip("* \t\r\n")]
    made = scrubber(*(f"another value {number:04}" for number in range(FEW)), *known)
    assert made.places(text + "".join(known)) == scrubber(*known).places(text + "".join(known))
