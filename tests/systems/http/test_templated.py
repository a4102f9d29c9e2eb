"""Values whose texts are templates."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.errors import UnusableError
from pipeline.secret import Secret
from pipeline.template.templates import Templates
from systems.http.templated import NotMadeError, Written


def made(value: object, **variables: Any) -> Any:
    """What becomes of a value."""
    return Written("payload", value, Templates()).make(variables)


def test_texts_are_templates_at_every_depth() -> None:
    """Keys too; all else stays what it is, secrets among it."""
    secret = Secret("s")
    value = {"a": ["{{ x }}", 1, None], "k{{ x }}": {"b": "{% if y is defined %}y{% endif %}"}, "s": secret}
    assert made(value, x=5) == {"a": ["5", 1, None], "k5": {"b": ""}, "s": secret}


def test_a_template_can_make_json() -> None:
    """The word for it stands anywhere in what it makes, also in a text that is none."""
    assert made("{{ x }}sesam:markjson", x=5) == 5
    assert made({"a": "[{{ x }}, null]sesam:markjson", "b": "true sesam:markjson"}, x=5) == {"a": [5, None], "b": True}
    with pytest.raises(NotMadeError, match="`payload`: what the template makes is no JSON"):
        made("{{ x }}sesam:markjson", x="s3cr3t")


def test_what_is_marked_is_left_out() -> None:
    """A member by its value or its name, an item, the whole."""
    skip = "{% if x %}sesam:markskip{% else %}v{% endif %}"
    assert made({"a": skip, f"b{skip}": 1, "c": [skip, 2]}, x=True) == {"c": [2]}
    assert made({"a": skip, "c": [skip, 2]}, x=False) == {"a": "v", "c": ["v", 2]}
    assert made(skip, x=True) is None


def test_a_variable_that_is_missing_is_told() -> None:
    """With the place of the template and no value of any other."""
    with pytest.raises(NotMadeError, match=r"`payload\.a\[0\]\.b`.*`x`"):
        made({"a": [{"b": "{{ x }}{{ y }}"}]}, y="s3cr3t")


def test_a_template_that_cannot_be_read_is_told_at_once() -> None:
    """Where no check came before."""
    with pytest.raises(UnusableError, match="`payload.a`"):
        made({"a": "{{ x"})
