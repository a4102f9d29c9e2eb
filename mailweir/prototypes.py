"""What an editor puts in for a new component: the properties that it cannot do without, with places to fill. No I/O.

The texts are snippets of VS Code: `${1:word}` is a place to fill, `^` before it keeps a number from becoming text, and
a `$` that means itself has a backslash before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

Body = dict[str, Any]

# For types of which the required properties alone would not make a component that anyone wants.
_bodies: Final[Mapping[str, Body]] = {
    "pipe": {
        "source": {"type": "dataset", "dataset": "${2:dataset}"},
        "sink": {
            "type": "mail",
            "system": "${3:our-smtp-server}",
            "mail_from": "${4:post@example.com}",
            "recipients_property": "${5:email}",
            "subject_template": "${6:Hello {{ name \\}\\}}",
            "body_template": "${7:Hello {{ name \\}\\}}",
        },
    },
    "system:amqp": {"url": "${2:amqps://rabbit.example.com}"},
    "system:kafka": {"url": "${2:kafkas://kafka.example.com:9093}"},
    "system:ldap": {
        "host": "${2:ldap.example.com}",
        "username": "${3:cn=reader,dc=example,dc=com}",
        "password": "\\$SECRET(${4:ldap-password})",
    },
    "system:mqtt": {"url": "${2:mqtts://mqtt.example.com}"},
    "system:nats": {"url": "${2:tls://nats.example.com}"},
    "system:redis": {"url": "${2:rediss://redis.example.com:6379/0}"},
    "system:smtp": {
        "smtp_server": "${2:mail.example.com}",
        "smtp_port": "^${3:587}",
        "smtp_username": "\\$ENV(${4:smtp-username})",
        "smtp_password": "\\$SECRET(${5:smtp-password})",
        "use_tls": "^${6:true}",
        "max_per_hour": "^${7:1000}",
    },
    "system:oracle": {
        "host": "${2:db.example.com}",
        "service_name": "${3:shop}",
        "username": "${4:me}",
        "password": "\\$SECRET(${5:password})",
    },
    "system:sql": {"connection_string": "\\$SECRET(${2:database-url})"},
    "system:rest": {
        "url_pattern": "${2:https://api.example.com/%s}",
        "operations": {"${3:list}": {"url": "${4:things}", "method": "${5:GET}"}},
    },
    "system:url": {"url_pattern": "${2:https://api.example.com/%s}"},
    "source:bus": {"system": "${1:bus}", "topic": "${2:SERVICE.MAILER}"},
    "sink:bus": {"system": "${1:bus}", "topic": "${2:orders}"},
    "source:diff_datasets": {"datasets": ["${1:one}", "${2:other}"]},
    "source:directory": {"path": "${1:inbox}", "pattern": "${2:*}", "done": "${3:inbox-done}"},
    "source:embedded": {"entities": [{"_id": "${1:1}"}]},
    "source:fake": {"entities": "^${1:100}", "template": {"_id": "uuid4", "name": "name", "email": "email"}},
    "source:json": {"path": "${1:data.jsonl}"},
    "source:ldap": {
        "system": "${1:directory}",
        "search_base": "${2:ou=people,dc=example,dc=com}",
        "search_filter": "${3:(objectClass=person)}",
    },
    "source:merge": {
        "version": "^2",
        "datasets": ["${1:customers} ${2:c}", "${3:users} ${4:u}"],
        "equality_sets": [["${2:c}.${5:email}", "${4:u}.${5:email}"]],
    },
    "source:outcomes": {"pipe": "${1:mailer}"},
    "source:redis_streams": {"system": "${1:redis}", "stream": "${2:orders}"},
    "source:rest": {"system": "${1:system}", "operation": "${2:list}", "id_expression": "{{ ${3:id} \\}\\}"},
    "source:sparql": {"system": "${1:system}", "query": "SELECT ?id ?name WHERE { ?id ${2:foaf:name} ?name \\}"},
    "source:sql": {"system": "${1:system}", "table": "${2:table}", "primary_key": "${3:id}"},
    "sink:json": {"path": "${1:out.jsonl}"},
    "sink:mail": {
        "system": "${1:our-smtp-server}",
        "mail_from": "${2:post@example.com}",
        "recipients_property": "${3:email}",
        "subject_template": "${4:Hello {{ name \\}\\}}",
        "body_template": "${5:Hello {{ name \\}\\}}",
    },
    "sink:redis_streams": {"system": "${1:redis}", "stream": "${2:orders}"},
    "sink:sms": {
        "system": "${1:our-twilio}",
        "from_number": "${2:+4766554433}",
        "recipients_property": "${3:phone}",
        "body_template": "${4:Hello {{ name \\}\\}}",
    },
    "system:twilio": {
        "account": "\\$ENV(${2:twilio-account})",
        "token": "\\$SECRET(${3:twilio-token})",
        "max_per_hour": "^${4:100}",
    },
    "sink:rest": {"system": "${1:system}", "operation": "${2:put}"},
    "sink:slack": {"system": "${1:slack}", "text": "${2:{{ name \\}\\}}"},
    "sink:webhook": {"system": "${1:system}", "url": "${2:hooks}"},
    "transform:dtl": {"rules": {"default": [["copy", "${1:*}"]]}},
    "transform:json_schema": {"schema": {"type": "object", "required": ["${1:name}"]}},
    "transform:properties_to_curies": {"id": "${1:x}", "properties": ["${2:x}", ["${3:**}"]]},
    "transform:rdf": {"rdf-property": "${1:rdf}"},
    "transform:xml": {"xml-property": "${1:xml}", "element": "${2:entity}"},
    "transform:http": {"system": "${1:system}", "url": "${2:shape}"},
    "transform:rest": {"system": "${1:system}", "operation": "${2:find}"},
    "transform:python": {"function": "${1:shapes}:${2:greet}"},
    "transform:template": {"template": '${1:{"name": {{ name | tojson \\}\\}\\}}'},
}


def prototype(definition: str, type_name: str, schema: Mapping[str, Any]) -> Body:
    """The body for a definition of the schema."""
    body: Body = {"_id": "${1:id}"} if "_id" in schema["properties"] else {}
    body["type"] = type_name
    if definition in _bodies:
        return body | _bodies[definition]
    required = [*schema.get("required", ()), *schema.get("then", {}).get("required", ())]
    for name in required:
        if name not in body:
            body[name] = _place(name, schema["properties"][name], len(body))
    return body


def _place(name: str, schema: Mapping[str, Any], number: int) -> object:
    kinds = schema.get("type", "string")
    match kinds if isinstance(kinds, str) else kinds[0]:
        case "array":
            return [f"${{{number}:{name}}}"]
        case "object":
            return {}
        case "integer" | "number":
            return f"^${{{number}:0}}"
        case "boolean":
            return f"^${{{number}:true}}"
    return f"${{{number}:{name}}}"
