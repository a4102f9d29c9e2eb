"""What invented properties are made of: kinds of data by name, and the chance that is the same in every run. No I/O.

No data is real: addresses of mail and sites are of the domains that RFC 2606 keeps for examples, telephone numbers of
the range that is kept for fiction, IP addresses of the networks for documentation (RFC 5737).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from hashlib import blake2b
from typing import Any, Final, TypeVar
from uuid import UUID

from pipeline.entity import DAY, SECOND, URI, Date, Datetime

T = TypeVar("T")


def _words_of(text: str) -> list[str]:
    return text.split()


_first: Final = _words_of(
    "Ada Alma Anders Arne Asta Bea Bjarne Carla Cem Clara Dag Dina Edith Egil Elif Emma Erik Eva Finn Frida Gerd "
    "Greta Hanna Harald Ida Inga Ivar Jana Jens Jon Kaja Karl Kim Lars Lea Leif Lena Liv Luca Mads Maja Marco Mia "
    "Mona Nils Nora Ola Olga Oskar Paul Petra Ragna Rolf Rosa Ruth Sara Sigurd Siri Sven Tara Theo Tone Tor Unni "
    "Vera Viktor Yara"
)
_last: Final = _words_of(
    "Aas Andersen Bakke Berg Bianchi Borg Brandt Dahl Demir Eide Engel Falk Fischer Fjeld Fossum Grande Hagen "
    "Hansen Haug Holm Iversen Jansen Kaya Keller Kruse Lange Larsen Lie Lund Martin Moe Moreau Nilsen Novak Olsen "
    "Peeters Pettersen Rossi Ruud Sande Schmidt Silva Solberg Strand Svensson Thorsen Vogel Weber Wolff Yilmaz "
    "Ziegler"
)
_words: Final = _words_of(
    "amber anchor autumn basket bridge brook candle canvas cedar chapter circle cloud copper corner cotton cradle "
    "crystal dawn desert drift ember engine feather field fjord forest garden glass granite harbour harvest hazel "
    "hollow island ivory juniper kettle ladder lantern letter linen maple marble meadow mirror morning mountain "
    "narrow ocean orchard paper pebble pepper pillow plain quiet raven ribbon river saddle salt shadow silver "
    "spring stone summer thread timber valley velvet violet walnut water willow window winter yellow"
)
_cities: Final = _words_of(
    "Aalborg Bergen Bologna Bremen Brno Delft Drammen Gent Graz Hamar Kiel Kolding Lahti Leuven Linz Lyon Malmo "
    "Metz Molde Nantes Narvik Odense Ostrava Padova Porto Riga Tampere Tartu Torino Tromso Utrecht Vaasa Vejle "
    "Voss Zagreb"
)
_countries: Final = {
    "AT": "Austria", "BE": "Belgium", "CZ": "Czechia", "DE": "Germany", "DK": "Denmark", "EE": "Estonia",
    "ES": "Spain", "FI": "Finland", "FR": "France", "HR": "Croatia", "IT": "Italy", "LV": "Latvia",
    "NL": "Netherlands", "NO": "Norway", "PT": "Portugal", "SE": "Sweden",
}  # fmt: skip
_jobs: Final = _words_of(
    "accountant architect baker brewer carpenter chemist clerk cook designer driver editor electrician engineer "
    "farmer gardener geologist librarian mason mechanic midwife musician nurse painter pilot plumber potter "
    "sailor surveyor tailor teacher translator welder"
)
_kinds_of_company: Final = ("AS", "Group", "and Sons", "Ltd", "Partners", "Works")
_streets: Final = ("Alley", "Lane", "Road", "Square", "Street", "Way")
_colours: Final = _words_of("black blue brown green grey orange pink purple red turquoise white yellow")
_currencies: Final = _words_of("CHF CZK DKK EUR GBP NOK PLN SEK USD")
_locales: Final = _words_of("da_DK de_DE en_GB es_ES fi_FI fr_FR it_IT nb_NO nl_NL sv_SE")
_domains: Final = ("example.com", "example.net", "example.org")
# From the beginning of 2000 to that of 2030, and for people the 80 years before 2010.
_SINCE: Final = 10_957
_DAYS: Final = 10_958
_BORN: Final = -14_610
_BORN_DAYS: Final = 29_220


class Draw:
    """The chance of one entity: the same seed, number and name always give the same."""

    __slots__ = ("_stem", "number")

    def __init__(self, seed: int, number: int) -> None:
        """The entities of a source are numbered from 1."""
        self.number = number
        self._stem = f"{seed}/{number}/"

    def bits(self, name: str) -> int:
        """128 random bits."""
        return int.from_bytes(blake2b(f"{self._stem}{name}".encode(), digest_size=16).digest(), "big")

    def below(self, limit: int, name: str) -> int:
        """A number from 0 up to the limit."""
        return self.bits(name) % limit

    def one(self, values: Sequence[T], name: str) -> T:
        """One of the values."""
        return values[self.below(len(values), name)]


Kind = Callable[[Draw, str], Any]
"""What makes a value, by the chance of an entity and the name of the property."""


def _first_name(draw: Draw, name: str) -> str:
    return draw.one(_first, "first name")


def _last_name(draw: Draw, name: str) -> str:
    return draw.one(_last, "last name")


def _name(draw: Draw, name: str) -> str:
    return f"{_first_name(draw, name)} {_last_name(draw, name)}"


def _user_name(draw: Draw, name: str) -> str:
    return f"{_first_name(draw, name)}.{_last_name(draw, name)}{draw.number}".lower()


def _email(draw: Draw, name: str) -> str:
    return f"{_user_name(draw, name)}@{draw.one(_domains, 'domain')}"


def _company(draw: Draw, name: str) -> str:
    return f"{draw.one(_words, 'company').title()} {draw.one(_kinds_of_company, 'kind of company')}"


def _company_email(draw: Draw, name: str) -> str:
    return f"post{draw.number}@{draw.one(_words, 'company')}.example"


def _domain(draw: Draw, name: str) -> str:
    return f"{draw.one(_words, 'company')}.{draw.one(_domains, 'domain')}"


def _street(draw: Draw, name: str) -> str:
    word = draw.one(_words, "street").title()
    return f"{word} {draw.one(_streets, 'kind of street')} {1 + draw.below(120, 'house')}"


def _postcode(draw: Draw, name: str) -> str:
    return f"{draw.below(10_000, 'postcode'):04}"


def _city(draw: Draw, name: str) -> str:
    return draw.one(_cities, "city")


def _country_code(draw: Draw, name: str) -> str:
    return draw.one(sorted(_countries), "country")


def _sentence(draw: Draw, name: str) -> str:
    words = [draw.one(_words, f"{name}/{at}") for at in range(4 + draw.below(8, f"{name}/words"))]
    return f"{' '.join(words).capitalize()}."


def _paragraph(draw: Draw, name: str) -> str:
    return " ".join(_sentence(draw, f"{name}/{at}") for at in range(2 + draw.below(4, f"{name}/sentences")))


def _uuid(draw: Draw, name: str) -> UUID:
    return UUID(int=draw.bits(name), version=4)


def _date(draw: Draw, name: str) -> Date:
    return Date((_SINCE + draw.below(_DAYS, name)) * DAY)


def _moment(draw: Draw, name: str) -> Datetime:
    return Datetime(_SINCE * DAY + draw.below(_DAYS * 86_400, name) * SECOND)


def _born(draw: Draw, name: str) -> Date:
    return Date((_BORN + draw.below(_BORN_DAYS, name)) * DAY)


def _price(draw: Draw, name: str) -> Decimal:
    return Decimal(100 + draw.below(99_900, name)).scaleb(-2)


def _phone(draw: Draw, name: str) -> str:
    return f"+1 {201 + draw.below(700, f'{name}/area')} 555 01{draw.below(100, name):02}"


KINDS: Final[Mapping[str, Kind]] = {
    "address": lambda draw, name: f"{_street(draw, name)}, {_postcode(draw, name)} {_city(draw, name)}",
    "boolean": lambda draw, name: bool(draw.below(2, name)),
    "city": _city,
    "color_name": lambda draw, name: draw.one(_colours, name),
    "company": _company,
    "company_email": _company_email,
    "country": lambda draw, name: _countries[_country_code(draw, name)],
    "country_code": _country_code,
    "currency_code": lambda draw, name: draw.one(_currencies, name),
    "date": _date,
    "date_of_birth": _born,
    "date_time": _moment,
    "domain_name": _domain,
    "email": _email,
    "first_name": _first_name,
    "ipv4": lambda draw, name: f"203.0.113.{draw.below(256, name)}",
    "job": lambda draw, name: draw.one(_jobs, name),
    "last_name": _last_name,
    "locale": lambda draw, name: draw.one(_locales, name),
    "name": _name,
    "paragraph": _paragraph,
    "phone_number": _phone,
    "postcode": _postcode,
    "price": _price,
    "pyfloat": lambda draw, name: draw.below(10_000_000, name) / 1000,
    "random_digit": lambda draw, name: draw.below(10, name),
    "random_int": lambda draw, name: draw.below(10_000, name),
    "sentence": _sentence,
    "sequence": lambda draw, name: draw.number,
    "street_address": _street,
    "text": _paragraph,
    "uri": lambda draw, name: URI(f"https://{_domain(draw, name)}/{draw.one(_words, name)}"),
    "user_name": _user_name,
    "uuid4": lambda draw, name: str(_uuid(draw, name)),
    "word": lambda draw, name: draw.one(_words, name),
}
"""The kinds of data."""
