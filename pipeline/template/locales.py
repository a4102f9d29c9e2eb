"""How people of a language write numbers, money, months and days. No I/O.

A table of what a mail needs rather than a library of all locales: what is not here can be written out in the template.
The customs are those of the Unicode Common Locale Data Repository.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

# No line is broken here: a narrow blank between groups of digits in French, a common one elsewhere.
_BLANK: Final = "\u00a0"
_NARROW: Final = "\u202f"


@dataclass(frozen=True, slots=True)
class Locale:
    """`money` has places for the amount (`{0}`) and the currency (`{1}`)."""

    point: str
    group: str
    money: str
    months: tuple[str, ...]
    short_months: tuple[str, ...]
    days: tuple[str, ...]
    short_days: tuple[str, ...]
    signs: Mapping[str, str]
    group_from: int = 4
    """Numbers with fewer digits before the point are not grouped."""


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_COMMON: Final = {"EUR": "€", "GBP": "£", "USD": "$", "JPY": "¥"}
_AFTER: Final = "{0}" + _BLANK + "{1}"

_EN: Final = Locale(
    ".",
    ",",
    "{1}{0}",
    _words("January February March April May June July August September October November December"),
    _words("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"),
    _words("Monday Tuesday Wednesday Thursday Friday Saturday Sunday"),
    _words("Mon Tue Wed Thu Fri Sat Sun"),
    _COMMON,
)
_NB: Final = Locale(
    ",",
    _BLANK,
    _AFTER,
    _words("januar februar mars april mai juni juli august september oktober november desember"),
    _words("jan. feb. mars apr. mai juni juli aug. sep. okt. nov. des."),
    _words("mandag tirsdag onsdag torsdag fredag lørdag søndag"),
    _words("man. tir. ons. tor. fre. lør. søn."),
    _COMMON | {"NOK": "kr"},
)
_DE: Final = Locale(
    ",",
    ".",
    _AFTER,
    _words("Januar Februar März April Mai Juni Juli August September Oktober November Dezember"),
    _words("Jan. Feb. März Apr. Mai Juni Juli Aug. Sept. Okt. Nov. Dez."),
    _words("Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag"),
    _words("Mo. Di. Mi. Do. Fr. Sa. So."),
    _COMMON,
)
_PT: Final = Locale(
    ",",
    _BLANK,
    _AFTER,
    _words("janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro"),
    _words("jan. fev. mar. abr. mai. jun. jul. ago. set. out. nov. dez."),
    _words("segunda-feira terça-feira quarta-feira quinta-feira sexta-feira sábado domingo"),
    _words("seg. ter. qua. qui. sex. sáb. dom."),
    _COMMON,
    group_from=5,
)

LOCALES: Final[Mapping[str, Locale]] = {
    "en": _EN,
    "en-GB": replace(_EN, short_months=_words("Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec")),
    "nb": _NB,
    "no": _NB,
    "nn": replace(
        _NB,
        days=_words("måndag tysdag onsdag torsdag fredag laurdag søndag"),
        short_days=_words("mån. tys. ons. tor. fre. lau. søn."),
    ),
    "sv": Locale(
        ",",
        _BLANK,
        _AFTER,
        _words("januari februari mars april maj juni juli augusti september oktober november december"),
        _words("jan. feb. mars apr. maj juni juli aug. sep. okt. nov. dec."),
        _words("måndag tisdag onsdag torsdag fredag lördag söndag"),
        _words("mån tis ons tors fre lör sön"),
        _COMMON | {"SEK": "kr"},
    ),
    "da": Locale(
        ",",
        ".",
        _AFTER,
        _words("januar februar marts april maj juni juli august september oktober november december"),
        _words("jan. feb. mar. apr. maj jun. jul. aug. sep. okt. nov. dec."),
        _words("mandag tirsdag onsdag torsdag fredag lørdag søndag"),
        _words("man. tirs. ons. tors. fre. lør. søn."),
        _COMMON | {"DKK": "kr."},
    ),
    "fi": Locale(
        ",",
        _BLANK,
        _AFTER,
        _words(
            "tammikuu helmikuu maaliskuu huhtikuu toukokuu kesäkuu heinäkuu elokuu syyskuu lokakuu marraskuu joulukuu"
        ),
        _words("tammi helmi maalis huhti touko kesä heinä elo syys loka marras joulu"),
        _words("maanantai tiistai keskiviikko torstai perjantai lauantai sunnuntai"),
        _words("ma ti ke to pe la su"),
        _COMMON,
    ),
    "is": Locale(
        ",",
        ".",
        _AFTER,
        _words("janúar febrúar mars apríl maí júní júlí ágúst september október nóvember desember"),
        _words("jan. feb. mar. apr. maí jún. júl. ágú. sep. okt. nóv. des."),
        _words("mánudagur þriðjudagur miðvikudagur fimmtudagur föstudagur laugardagur sunnudagur"),
        _words("mán. þri. mið. fim. fös. lau. sun."),
        _COMMON | {"ISK": "kr."},
    ),
    "de": _DE,
    "de-CH": replace(_DE, point=".", group="\u2019", money="{1}" + _BLANK + "{0}"),
    "fr": Locale(
        ",",
        _NARROW,
        _AFTER,
        _words("janvier février mars avril mai juin juillet août septembre octobre novembre décembre"),
        _words("janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc."),
        _words("lundi mardi mercredi jeudi vendredi samedi dimanche"),
        _words("lun. mar. mer. jeu. ven. sam. dim."),
        _COMMON,
    ),
    "nl": Locale(
        ",",
        ".",
        "{1}" + _BLANK + "{0}",
        _words("januari februari maart april mei juni juli augustus september oktober november december"),
        _words("jan feb mrt apr mei jun jul aug sep okt nov dec"),
        _words("maandag dinsdag woensdag donderdag vrijdag zaterdag zondag"),
        _words("ma di wo do vr za zo"),
        _COMMON,
    ),
    "es": Locale(
        ",",
        ".",
        _AFTER,
        _words("enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre"),
        _words("ene feb mar abr may jun jul ago sept oct nov dic"),
        _words("lunes martes miércoles jueves viernes sábado domingo"),
        _words("lun mar mié jue vie sáb dom"),
        _COMMON,
        group_from=5,
    ),
    "it": Locale(
        ",",
        ".",
        _AFTER,
        _words("gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre"),
        _words("gen feb mar apr mag giu lug ago set ott nov dic"),
        _words("lunedì martedì mercoledì giovedì venerdì sabato domenica"),
        _words("lun mar mer gio ven sab dom"),
        _COMMON,
    ),
    "pt": _PT,
    "pt-BR": replace(_PT, group=".", money="{1}" + _BLANK + "{0}", group_from=4, signs=_COMMON | {"BRL": "R$"}),
    "pl": Locale(
        ",",
        _BLANK,
        _AFTER,
        _words("stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia"),
        _words("sty lut mar kwi maj cze lip sie wrz paź lis gru"),
        _words("poniedziałek wtorek środa czwartek piątek sobota niedziela"),
        _words("pon. wt. śr. czw. pt. sob. niedz."),
        _COMMON | {"PLN": "zł"},
        group_from=5,
    ),
}

# Currencies without a smaller coin, and those with a thousandth; all others have hundredths (ISO 4217).
_NONE: Final = ("CLP", "ISK", "JPY", "KRW", "PYG", "UGX", "VND", "XAF", "XOF", "XPF")
_THOUSANDTHS: Final = ("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND")
DIGITS: Final[Mapping[str, int]] = dict.fromkeys(_NONE, 0) | dict.fromkeys(_THOUSANDTHS, 3)
