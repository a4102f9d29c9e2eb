"""Did you mean."""

import pytest

from pipeline.config.near import near


@pytest.mark.parametrize(
    ("name", "known", "expected"),
    [
        ("smtp_sever", ["smtp_server", "smtp_port"], ["smtp_server"]),
        ("smtp-port", ["smtp_server", "smtp_port"], ["smtp_port"]),
        ("SMTP_PORT", ["smtp_port"], ["smtp_port"]),
        ("recipient", ["recipients", "recipe"], ["recipients"]),
        ("xyz", ["smtp_server"], []),
        ("", ["a"], []),
        ("pipez", ["pipes", "systems"], ["pipes"]),
    ],
)
def test_the_nearest_name_is_offered(name: str, known: list[str], expected: list[str]) -> None:
    """Case, hyphens and a plural count for nothing; a name that shares only letters is not offered."""
    assert near(name, known) == expected


def test_several_names_come_best_first() -> None:
    """With room for three, all that are near come, the nearest first."""
    assert near("mail-serer", ["mail-server", "mail-servant", "other"], most=3)[0] == "mail-server"
