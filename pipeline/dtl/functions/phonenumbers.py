"""Functions of telephone numbers. No I/O: the numbering plans of all countries come with a package."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from pipeline.dtl.registry import DROP, Subject, shows
from pipeline.entity import URI

if TYPE_CHECKING:
    from phonenumbers import PhoneNumber

phonenumbers: Final = Subject(
    "phonenumbers",
    "Phone numbers",
    "A phone number is an address, `tel:+47-22-22-22-22` (RFC 3966). The formats are `rfc3966`, `e164` (digits only, "
    "without the plus), `international`, `national`, `national-e164` (digits only), `isocode` (the country, `NO`) and "
    "`country-code` (`47`).",
)

# As many digits as any number has, and some.
_MOST_DIGITS: Final = 30


@phonenumbers.each(
    "phonenumber-parse",
    "[REGION] VALUES",
    (str, int),
    "The phone number that each string or whole number is. One without a country code is of REGION, a country as in "
    "`NO`. What is no valid number is left out.",
    shows(["phonenumber-parse", "_S.phone"], "~rtel:+46-8-123-456-78", {"phone": "+46 (0)8 123 456 78"}),
    shows(["phonenumber-parse", "NO", ["list", "22 22 55 55", 22225555, "123", None]], 2 * ["~rtel:+47-22-22-55-55"]),
    shows(["phonenumber-parse", "22225555"], None),
)
def _parse(region: Any, value: Any) -> Any:
    from phonenumbers import SUPPORTED_REGIONS, PhoneNumberFormat, format_number, is_valid_number  # noqa: PLC0415 - slow

    if region is not None and (type(region) is not str or region.upper() not in SUPPORTED_REGIONS):
        raise ValueError("REGION is a country, as in `NO`")
    if type(value) is int and abs(value) >= 10**_MOST_DIGITS:
        return DROP
    found = _number(str(value), None if region is None else region.upper())
    if found is None or not is_valid_number(found):
        return DROP
    return URI(format_number(found, PhoneNumberFormat.RFC3966))


def _number(text: str, region: str | None) -> PhoneNumber | None:
    from phonenumbers import NumberParseException, parse  # noqa: PLC0415 - as above

    try:
        return parse(text, region)
    except NumberParseException:
        return None


@phonenumbers.each(
    "phonenumber-format",
    "FORMAT VALUES",
    URI,
    "Each phone number as a string. What is no phone number is left out.",
    shows(["phonenumber-format", "international", "_S.phone"], "+46 8 123 456 78", {"phone": "~rtel:+46-8-123-456-78"}),
    shows(
        ["phonenumber-format", "e164", ["list", "~rtel:+47-22-22-55-55", "+47 22225555", "~rhttps://example.com/"]],
        ["4722225555"],
    ),
    shows(["phonenumber-format", "isocode", "~rtel:+1-604-555-0123"], "CA"),
    shows(["phonenumber-format", "national", None], None),
)
def _format(form: Any, address: URI) -> Any:
    formats = _formats()
    if type(form) is not str or form not in formats:
        raise ValueError("FORMAT is one of " + ", ".join(f"`{name}`" for name in formats))
    found = _number(address.text, None) if address.text.startswith("tel:") else None
    written = None if found is None else formats[form](found)
    return DROP if written is None else written


@cache
def _formats() -> Mapping[str, Callable[[PhoneNumber], str | None]]:
    from phonenumbers import (  # noqa: PLC0415 - as above
        PhoneNumberFormat,
        format_number,
        national_significant_number,
        region_code_for_number,
    )

    return {
        "e164": lambda number: format_number(number, PhoneNumberFormat.E164).removeprefix("+"),
        "rfc3966": lambda number: format_number(number, PhoneNumberFormat.RFC3966),
        "national": lambda number: format_number(number, PhoneNumberFormat.NATIONAL),
        "international": lambda number: format_number(number, PhoneNumberFormat.INTERNATIONAL),
        "national-e164": national_significant_number,
        "isocode": region_code_for_number,
        "country-code": lambda number: str(number.country_code),
    }
