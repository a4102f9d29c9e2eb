"""Values that JSON lacks, in mails."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from pipeline.entity import NI, URI, typed
from pipeline.state.keys import entity_text, entity_version
from pipeline.template.templates import Template, compile_template, variables

ENTITY: dict[str, Any] = typed(
    {
        "_id": "1",
        "at": "~t2026-01-02T03:04:05.5Z",
        "day": "~t2026-01-02",
        "page": "~rhttps://example.com/?a=1&b=2",
        "customer": "~:crm:42",
        "price": "~f1.50",
        "key": "~u531a379e-31bb-4ce1-8690-158dceb64be6",
        "data": "~baGk=",
    }
)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{ at }} {{ day }}", "2026-01-02T03:04:05.5Z 2026-01-02"),
        ("{{ at | datetime_format('%d.%m.%Y %H:%M', 'Europe/Oslo') }}", "02.01.2026 04:04"),
        ("{{ day | datetime_format('%d.%m.%Y') }}", "02.01.2026"),
        ("{{ (at | datetime).year }} {{ at > day }}", "2026 True"),
        ("{{ page }} {{ customer }}", "https://example.com/?a=1&b=2 crm:42"),
        ("{{ price }} {{ price + 1 }}", "1.50 2.50"),
        ("{{ key }} {{ data }}", "531a379e-31bb-4ce1-8690-158dceb64be6 hi"),
    ],
)
def test_they_are_shown_as_people_write_them(source: str, text: str) -> None:
    """Without the tags that they have in JSON; times can be formatted and compared, decimals calculated with."""
    template = compile_template(source, "text")
    assert isinstance(template, Template)
    assert template.render(variables(ENTITY)) == text


def test_they_are_kept_as_json_has_them() -> None:
    """What is stored beside a mail is read again as the same entity, in the same version."""
    text = entity_text(ENTITY)
    again = typed(json.loads(text))
    assert again == ENTITY
    assert {type(one) for one in again.values()} >= {NI, URI, Decimal, UUID, bytes}
    assert entity_version(again) == entity_version(ENTITY) == entity_version(json.loads(text))
