"""What is special about messages to telephones."""

from __future__ import annotations

from email import policy
from email.parser import BytesParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from systems.sms import frozen, is_service, number_fault, number_of, sender_of, text_of

SERVICE = "MG" + "0a" * 16


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("+4799887766", "+4799887766"),
        (" +47 998 87 766 ", "+4799887766"),
        ("+47 (0)".replace("(0)", "(99) 88-77.66"), "+4799887766"),
        ("+1\u00a0555\u2011010\u20109999", "+15550109999"),
        ("+1234567", "+1234567"),
        ("+123456789012345", "+123456789012345"),
    ],
)
def test_a_number_goes_out_without_what_people_put_between_its_digits(text: str, number: str) -> None:
    """In the form of E.164."""
    assert number_of(text) == number


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "not a telephone number"),
        ("Ann", "not a telephone number"),
        ("ann@example.com", "not a telephone number"),
        ("+47998877x6", "not a telephone number"),
        ("+٤٧٩٩٨٨٧٧٦٦", "7 to 15 digits"),
        ("99887766", "the code of the country is missing"),
        ("004799887766", "write `+` in place of the first `00`"),
        ("+0799887766", "7 to 15 digits"),
        ("+123456", "7 to 15 digits"),
        ("+1234567890123456", "7 to 15 digits"),
    ],
)
def test_what_is_no_number_says_why(text: str, why: str) -> None:
    """In words that lead to one."""
    assert number_of(text) is None
    assert why in number_fault(text)


@pytest.mark.parametrize(
    ("text", "sender"),
    [
        ("+47 66 55 44 33", "+4766554433"),
        ("12345", "12345"),
        ("My Shop", "My Shop"),
        (SERVICE, SERVICE),
        ("My Shop is long", None),
        ("Müller", None),
        ("66554433", "66554433"),
        ("665544331", None),
        ("a\nb", None),
        ("", None),
    ],
)
def test_messages_can_be_from_a_number_a_code_a_name_or_a_service(text: str, sender: str | None) -> None:
    """And from nobody else."""
    assert sender_of(text) == sender
    assert is_service(text) is (text == SERVICE)


def test_a_line_that_is_too_long_for_mail_is_coded() -> None:
    """What shows mail shows it all the same."""
    text = "ø" * 600
    content = frozen("Shop", "+4799887766", text)
    assert all(len(line) <= 78 for line in content.split(b"\r\n"))
    assert text_of(content) == text


@given(st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("\n\t .=")))
def test_properties_of_a_frozen_text_comes_back(text: str) -> None:
    """Whatever it is; and what reads mail reads the same."""
    content = frozen("+4766554433", "+4799887766", text)
    assert text_of(content) == text
    assert all(len(line) <= 998 for line in content.split(b"\r\n"))
    read = BytesParser(policy=policy.SMTP).parsebytes(content)
    assert read.get_content().replace("\r\n", "\n").removesuffix("\n") == text.removesuffix("\n") or text[-1:] == "\n"
    assert (read["From"], read["To"]) == ("+4766554433", "+4799887766")
