"""The filters that mail needs beside those of Jinja2: numbers, times, bytes, JSON."""

from __future__ import annotations

import base64
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.template.faults import TemplateFault
from pipeline.template.filters import FILTERS, TESTS
from pipeline.template.locales import LOCALES
from pipeline.template.runtime import Part
from pipeline.template.templates import Template, compile_template


def result(source: str, part: Part = "text", **values: Any) -> str | TemplateFault:
    """What a template gives."""
    template = compile_template(source, part)
    assert isinstance(template, Template), template
    return template.render(values)


def refused(source: str, **values: Any) -> str:
    """The message of a filter that cannot work."""
    fault = result(source, **values)
    assert isinstance(fault, TemplateFault), fault
    assert fault.code == "E409"
    return fault.message


@pytest.mark.parametrize(
    ("value", "locale", "shown"),
    [
        (1234567.891, "en", "1,234,567.891"),
        (1234567.891, "nb", "1 234 567,891"),
        (1234567, "de", "1.234.567"),
        (1234567.5, "de-CH", "1’234’567.5"),
        (1234567, "fr", "1\u202f234\u202f567"),
        (1234, "es", "1234"),
        (12345, "es", "12.345"),
        (1234, "pt-BR", "1.234"),
        (999, "en", "999"),
        (-1234.5, "en_GB", "-1,234.5"),
        ("12.50", "sv", "12,50"),
        (Decimal("0.10"), "en", "0.10"),
        (0.1, "en", "0.1"),
        (10**20, "en", "100,000,000,000,000,000,000"),
    ],
)
def test_numbers_are_written_as_people_of_a_country_do(value: Any, locale: str, shown: str) -> None:
    """Groups and points; `nb` of a country that is not known by itself is its language."""
    assert result("{{ value | number(locale=locale) }}", value=value, locale=locale) == shown.replace(" ", "\u00a0")


@pytest.mark.parametrize(
    ("value", "decimals", "shown"),
    [
        (2.5, 0, "3"),
        (3.5, 0, "4"),
        (-2.5, 0, "-3"),
        (0.125, 2, "0.13"),
        (2, 2, "2.00"),
        (-0.4, 0, "0"),
        ("1.005", 2, "1.01"),
    ],
)
def test_half_is_rounded_up(value: Any, decimals: int, shown: str) -> None:
    """As people round money, on the digits that were written; nothing has no sign."""
    assert result("{{ value | number(decimals) }}", value=value, decimals=decimals) == shown


@pytest.mark.parametrize(
    ("value", "currency", "locale", "shown"),
    [
        (1234.5, "EUR", "en", "€1,234.50"),
        (1234.5, "NOK", "en", "NOK 1,234.50"),
        (1234.5, "NOK", "nb", "1 234,50 kr"),
        (1234.5, "EUR", "de", "1.234,50 €"),
        (1234.5, "CHF", "de-CH", "CHF 1’234.50"),
        (1234.5, "EUR", "nl", "€ 1.234,50"),
        (1234.5, "BRL", "pt-BR", "R$ 1.234,50"),
        (1234.5, "JPY", "en", "¥1,235"),
        (1234.5, "ISK", "is", "1.235 kr."),
        (1.23456, "KWD", "en", "KWD 1.235"),
        (-5, "USD", "en", "-$5.00"),
        (-5, "DKK", "da", "-5,00 kr."),
        (-0.001, "EUR", "en", "€0.00"),
        ("19.90", "SEK", "sv", "19,90 kr"),
        (Decimal("0.005"), "EUR", "fi", "0,01 €"),
    ],
)
def test_money_has_the_coins_of_its_currency(value: Any, currency: str, locale: str, shown: str) -> None:
    """Sign, place and digits."""
    found = result("{{ value | money(currency, locale) }}", value=value, currency=currency, locale=locale)
    assert isinstance(found, str)
    assert found.replace("\u00a0", " ") == shown


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{{ 'x' | number }}", "`number` takes a number, not text"),
        ("{{ true | money('EUR') }}", "`money` takes a number, not true or false"),
        ("{{ [1] | number }}", "`number` takes a number, not a list"),
        ("{{ 1 | money('euro') }}", "`money` needs a currency of three letters, such as `EUR`"),
        ("{{ 1 | money('EUR', 'xx') }}", "there is no locale `xx`"),
        ("{{ 1 | number(31) }}", "`number` takes up to 30 decimal places"),
        ("{{ 1 | round(1, 'up') }}", '`round` knows "common", "ceil" and "floor"'),
        ("{{ 'x' | round }}", "`round` takes a number, not text"),
        ("{{ 'x' | abs }}", "`abs` takes a number, not text"),
        ("{{ ['1'] | sum }}", "`sum` adds numbers, not text"),
        ("{{ 'x' | datetime }}", "this text is no time in the form 2026-11-21T13:30:00Z"),
        ("{{ '2026-02-30' | datetime }}", "this text looks like a time, but there is no such day or hour"),
        (
            "{{ 10000000000000000000000 | datetime }}",
            "this number is no time: whole numbers count nanoseconds since 1970",
        ),
        ("{{ [] | json(99) }}", "`json` indents by up to 16 characters"),
        (
            "{{ '2026-01-01' | datetime_format }}",
            "`datetime_format` needs one pattern such as `%d.%m.%Y`, and may have one time zone",
        ),
        ("{{ '2026-01-01' | datetime_format('%Q') }}", "`%Q` is no part of a time"),
        ("{{ '2026-01-01' | datetime_format('%H') }}", "a date has no hours for `%H`"),
        ("{{ '2026-01-01' | datetime_format('%d', 'Europe/Olso') }}", "there is no time zone `Europe/Olso`"),
        ("{{ '2026-01-01' | datetime_format('%d', '../../etc/passwd') }}", "there is no time zone `../../etc/passwd`"),
        (
            "{{ '9999-12-31T23:59:59Z' | datetime_format('%d', 'Asia/Tokyo') }}",
            "this time lies outside of the calendar in that zone",
        ),
        ("{{ 5 | bytes }}", "`bytes` takes text, not a number"),
        ("{{ 5 | base64_encode }}", "`base64_encode` takes bytes or text, not a number"),
        ("{{ '*' | base64_decode }}", "this text is not base64"),
        ("{{ '/w==' | base64_decode }}", "these bytes are no text"),
        ("{{ 'a.b.c' | decode_jwt }}", "a template cannot check who signed a token: it has no keys"),
        ("{{ 'a.b' | decode_jwt(verify=false) }}", "this text is no token"),
        ("{{ 'x' | truncate(1) }}", "`truncate` cannot make a text shorter than its end, `...`"),
        ("{{ [1] | urlencode }}", "`urlencode` takes text, an object, or pairs, not a list with a number"),
        ("{{ 5 | items | list }}", "`items` takes an object, not a number"),
        ("{{ {} | dictsort(by='x') }}", '`dictsort` sorts by "key" or by "value"'),
        ("{{ [1] | map | list }}", "`map` takes the name of a filter, or `attribute=`"),
        ("{{ [1] | map(f) | list }}", "there is no filter `nope`"),
        ("{{ [1] | select(f) | list }}", "there is no test `nope`"),
        ("{{ [1] | selectattr | list }}", "this filter needs the name of an attribute"),
        ("{{ [{}] | sort(attribute=1.5) }}", "an attribute is a name, not a number"),
        ("{{ 'x' | center('y') }}", "a width is a whole number, not text"),
        ("{{ '%s' | format }}", "there are more places in this text than values for them"),
        ("{{ '%s' | format(1, 2) }}", "there are more values than places for them in this text"),
        ("{{ '%s' | format(1, a=2) }}", "`format` takes values in order or by name, not both"),
        ("{{ '%(a)s' | format(b=1) }}", "there is no value for `%(a)s`"),
        ("{{ '%r' | format(1) }}", "`%r` is no place for a value"),
        ("{{ '{}{}'.format(1) }}", "the places in this text and the values do not go together"),
        ("{{ '{!r}'.format(1) }}", "`!r` is for programmers, not for mail"),
        ("{{ dict([1]) }}", "`dict` takes names with values: `dict(name=value)`"),
        ("{{ cycler() }}", "`cycler` needs at least one value"),
        ("{{ {[1]: 2} }}", "a list cannot be the name of a property"),
        ("{{ 'x'['y':] }}", "the places of a part are whole numbers, and its step is not 0"),
    ],
)
def test_what_a_filter_cannot_do_is_said_in_words(source: str, message: str) -> None:
    """What it takes, and what it got; no value of the entity."""
    assert refused(source, f="nope") == message


@pytest.mark.parametrize(
    ("value", "pattern", "zone", "locale", "shown"),
    [
        ("2026-11-21T13:30:05Z", "%Y-%m-%d %H:%M:%S", "UTC", "en", "2026-11-21 13:30:05"),
        ("2026-11-21T23:30:00Z", "%-d. %B %Y kl. %H.%M", "Europe/Oslo", "nb", "22. november 2026 kl. 00.30"),
        (
            "2026-07-01T23:30:00+02:00",
            "%A %e %b %y %I:%M %p %Z %z",
            "UTC",
            "en",
            "Wednesday  1 Jul 26 09:30 PM UTC +0000",
        ),
        ("2026-07-01T23:30:00", "%H %Z", "Europe/Oslo", "en", "01 CEST"),
        ("~t2026-11-21T13:30:00.123456789Z", "%f", "UTC", "en", "123456"),
        ("2026-01-05", "%a %j %V %G %u %w %%", "Europe/Oslo", "de", "Mo. 005 02 2026 1 1 %"),
        (1438076760123450000, "%Y-%m-%dT%H:%M:%S.%f", "UTC", "en", "2015-07-28T09:46:00.123450"),
        (-1, "%Y", "UTC", "en", "1969"),
        (Decimal(0), "%Y", "UTC", "en", "1970"),
        (date(2026, 3, 1), "%d.%m.%Y", "UTC", "en", "01.03.2026"),
        (datetime(2026, 3, 29, 0, 59, tzinfo=UTC), "%H:%M", "Europe/Oslo", "en", "01:59"),
        (datetime(2026, 3, 29, 1, 0, tzinfo=UTC), "%H:%M", "Europe/Oslo", "en", "03:00"),
    ],
)
def test_times_are_written_in_a_zone_and_a_language(
    value: Any, pattern: str, zone: str, locale: str, shown: str
) -> None:
    """Text, whole nanoseconds, dates and times; summer time included."""
    values = {"value": value, "pattern": pattern, "zone": zone, "locale": locale}
    assert result("{{ value | datetime_format(pattern, tz=zone, locale=locale) }}", **values) == shown
    assert result("{{ value | datetime_format(zone, pattern, locale=locale) }}", **values) == shown


def test_times_can_be_compared_and_moved() -> None:
    """Their difference, and whether one is later."""
    source = "{{ (b | datetime - a | datetime).days }}{{ a | datetime < b | datetime }}{{ (a | datetime).year }}"
    assert result(source, a="2026-01-01T00:00:00Z", b="2026-01-08T00:00:00Z") == "7True2026"


def test_lists_are_worked_through_item_by_item() -> None:
    """As the functions of the same names do in transforms."""
    assert result("{{ ['2026-01-02', '2026-01-03'] | datetime_format('%d') | join('+') }}") == "02+03"
    assert result("{{ ['a', 'b'] | base64_encode | join(' ') }}") == "YQ== Yg=="


@given(st.binary(max_size=50))
def test_bytes_survive_base64(data: bytes) -> None:
    """There and back."""
    assert result("{{ data | base64_encode }}", data=data) == base64.b64encode(data).decode()
    assert result("{{ (text | base64_decode) == data }}", text=base64.b64encode(data).decode(), data=data) == "True"


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
)


@given(values)
def test_json_is_json_and_safe_in_html(value: Any) -> None:
    """It reads back to the value, and no character in it ends a tag or a quote."""
    text, html = (result("{{ value | json }}", part, value=value) for part in ("text", "html"))
    assert isinstance(text, str)
    assert isinstance(html, str)
    assert json.loads(text) == value
    assert json.loads(html) == value
    assert not set(html) & set("<>&'")


def test_json_has_what_entities_have() -> None:
    """Numbers stay numbers, the others become text."""
    found = {"d": Decimal("1.5"), "e": Decimal(2), "t": date(2026, 1, 2), "b": b"x"}
    assert result("{{ found | json }}", found=found) == '{"d": 1.5, "e": 2, "t": "2026-01-02", "b": "eA=="}'


def test_every_locale_has_all_its_words() -> None:
    """Twelve months and seven days, long and short."""
    for name, locale in LOCALES.items():
        assert (len(locale.months), len(locale.short_months)) == (12, 12), name
        assert (len(locale.days), len(locale.short_days)) == (7, 7), name


def test_text_of_several_lines_in_html() -> None:
    """Each on a line of its own, and escaped; in text as it is."""
    assert result("{{ note | nl2br }}", "html", note="a <b>\nc") == "a &lt;b&gt;<br>\nc"
    assert result("{{ note | nl2br }}", "text", note="a <b>\nc") == "a <b>\nc"


def test_filters_take_the_context_and_nothing_is_there_twice() -> None:
    """Every filter and test counts what it does."""
    for function in (*FILTERS.values(), *TESTS.values()):
        assert hasattr(function, "jinja_pass_arg")
