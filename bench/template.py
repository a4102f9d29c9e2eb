"""What rendering a mail costs, with Jinja2's own sandbox beside it: the same templates, the same texts."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from bench.rounds import measure
from pipeline.template.runtime import Part
from pipeline.template.templates import Template, Templates, variables

SOURCES: dict[Part, str] = {
    "subject": "Order {{ number }}: thank you, {{ name }}",
    "text": """Hello {{ name }},

thank you for your order {{ number }}.

{% for row in rows %}{{ row.quantity }} x {{ row.title }}  {{ row.price }}
{% endfor %}
Total: {{ total }}

{{ shop }}
""",
    "html": """<html><body><p>Hello {{ name }},</p>
<p>thank you for your order <b>{{ number }}</b>.</p>
<table>
{% for row in rows %}<tr><td>{{ row.quantity }}</td><td>{{ row.title }}</td><td align="right">{{ row.price }}</td></tr>
{% endfor %}</table>
<p>Total: {{ total }}</p>
<p>{{ shop }}</p></body></html>
""",
}
ENTITY: dict[str, Any] = {
    "_id": "A-1001",
    "name": "Ann Lee",
    "number": "A-1001",
    "rows": [{"quantity": number, "title": f"Coffee & cake {number}", "price": "12.50"} for number in range(5)],
    "total": "62.50",
    "shop": "Grünerløkka kaffe",
}
MAILS = 1000


def run() -> None:
    """So many mails in a round, so a millisecond in the table is a microsecond for a mail."""
    ours = [Templates().compile(source, part) for part, source in SOURCES.items()]
    sandboxed = [_jinja(ImmutableSandboxedEnvironment, part, source) for part, source in SOURCES.items()]
    plain = [_jinja(Environment, part, source) for part, source in SOURCES.items()]

    def mailweir() -> list[Any]:
        values = variables(ENTITY)
        return [template.render(values) for template in ours if isinstance(template, Template)]

    def jinja(templates: list[Any]) -> list[Any]:
        return [template.render(ENTITY) for template in templates]

    # A subject has no line break at its end.
    if [text.strip() for text in mailweir()] != [text.strip() for text in jinja(sandboxed)]:
        raise RuntimeError("the texts differ")
    measure(
        f"Subject, text and HTML with a table of 5 rows, {MAILS:,} mails: ms here are µs a mail",
        {
            "Jinja2, sandbox": lambda: [jinja(sandboxed) for _ in range(MAILS)],
            "Jinja2, no sandbox, no limits": lambda: [jinja(plain) for _ in range(MAILS)],
            "Mailweir, sandbox and limits": lambda: [mailweir() for _ in range(MAILS)],
        },
    )
    measure(
        "Compiling the three templates",
        {
            "Jinja2, sandbox": lambda: [
                _jinja(ImmutableSandboxedEnvironment, part, source) for part, source in SOURCES.items()
            ],
            "Mailweir": lambda: [Templates().compile(source, part) for part, source in SOURCES.items()],
            "Mailweir, finding faults only": lambda: [Templates().faults(source) for source in SOURCES.values()],
        },
    )


def _jinja(kind: type[Environment], part: Part, source: str) -> Any:  # noqa: ANN401 - a template of either package
    return kind(undefined=StrictUndefined, autoescape=part == "html").from_string(source)
