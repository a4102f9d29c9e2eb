"""The rules of `--fail`."""

from __future__ import annotations

import pytest

from mailweir.rehearsal import Step, choose, mishap


@pytest.mark.parametrize(
    ("text", "step", "recipient", "met"),
    [
        ("@example.org=550", "rcpt", "kari@example.org", True),
        ("@Example.ORG=550", "rcpt", "kari@EXAMPLE.org", True),
        ("@example.org=550", "rcpt", "kari@sub.example.org", False),
        ("@example.org=550", "rcpt", "kari@badexample.org", False),
        ("@example.org=550", "mail", "", False),
        ("Kari@example.org=550", "rcpt", "kari@example.org", True),
        ("kari@example.org=550", "rcpt", "skari@example.org", False),
        ("a=b@example.org=550", "rcpt", "a=b@example.org", True),
        ("rcpt=451", "rcpt", "anyone@example.com", True),
        ("rcpt=451", "data", "", False),
        ("dot=drop", "dot", "", True),
        ("connect=554", "connect", "", True),
    ],
)
def test_a_rule_is_about_a_step_an_address_or_a_domain(text: str, step: Step, recipient: str, *, met: bool) -> None:
    """A rule meets its own step, or its own recipients whatever their case, and no others."""
    assert mishap(text).meets(step, recipient) is met


def test_the_answer_names_the_rule() -> None:
    """A client reads in the answer that the fault was asked for."""
    assert mishap("rcpt=451:10%").reply == "451 rehearsed: rcpt=451:10%"
    assert mishap("dot=drop").code is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "write WHERE=CODE"),
        ("550", "write WHERE=CODE"),
        ("rcpt=250", "codes are 400 to 559"),
        ("rcpt=560", "codes are 400 to 559"),
        ("rcpt=451:10", "write WHERE=CODE"),
        ("rcpt=451:0%", "the share is more than 0% and at most 100%"),
        ("rcpt=451:101%", "the share is more than 0% and at most 100%"),
        ("rctp=451", "'rctp' is no address, no @domain and no step (connect login mail rcpt data dot)"),
        ("kari@example.org\r\n=550", "write WHERE=CODE"),
        ("kari@ex\u00e6mple.org=550", "write WHERE=CODE"),
    ],
)
def test_what_is_no_rule_is_told(text: str, said: str) -> None:
    """A text that cannot be read says how a rule is written, and nothing of it reaches an answer."""
    with pytest.raises(ValueError, match="^") as caught:
        mishap(text)
    assert said in str(caught.value)


def test_a_share_is_a_chance() -> None:
    """A rule with a share holds when the number is below it; one without asks for no number."""
    some, always = mishap("rcpt=451:25%"), mishap("rcpt=452")
    numbers = iter([0.24, 0.25, 0.999])
    found = [choose([some, always], "rcpt", "a@example.com", chance=lambda: next(numbers)) for _ in range(3)]
    assert found == [some, always, always]
    assert choose([always], "rcpt", "a@example.com", chance=lambda: next(iter([]))) is always


def test_the_first_rule_wins() -> None:
    """Of several rules that meet a case, the first one written is taken."""
    one, all_of_them = mishap("kari@example.org=450"), mishap("@example.org=550")
    rules = [one, all_of_them]
    assert choose(rules, "rcpt", "kari@example.org", chance=lambda: 0) is one
    assert choose(rules, "rcpt", "ola@example.org", chance=lambda: 0) is all_of_them
    assert choose(rules, "rcpt", "ola@example.com", chance=lambda: 0) is None
