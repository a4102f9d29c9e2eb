"""A secret gives its value to `reveal()` and to nothing else."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import json
import logging
import pickle
import pprint
import traceback
from collections.abc import Callable
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from pipeline.secret import MASK, Secret

CANARY = "c4nary-5f1e0b7d9a"


@dataclasses.dataclass
class Login:
    """Something that holds a secret."""

    user: str
    password: Secret


class Server(BaseModel):
    """A model that holds a secret."""

    model_config = ConfigDict(frozen=True, strict=True)

    password: Secret
    others: tuple[Secret, ...] = ()


PRINTED: dict[str, Callable[[Secret], object]] = {
    "str": str,
    "repr": repr,
    "ascii": ascii,
    "format": format,
    "format with a width": lambda secret: format(secret, ">40"),
    "f-string": lambda secret: f"{secret}",
    "f-string with repr": lambda secret: f"{secret!r:>3}",
    "percent": lambda secret: "%s" % secret,  # noqa: UP031 - one of the ways
    "str.format": "<{}>".format,
    "json with default": lambda secret: json.loads(json.dumps(secret, default=str)),
    "pprint": pprint.pformat,
    "model_dump": lambda secret: Server(password=secret).model_dump()["password"],
    "model_dump_json": lambda secret: json.loads(Server(password=secret).model_dump_json())["password"],
    "model_dump in a tuple": lambda secret: Server(password=secret, others=(secret,)).model_dump()["others"][0],
    "TypeAdapter": lambda secret: TypeAdapter(Secret).dump_python(secret),
    "copy": lambda secret: str(copy.copy(secret)),
    "deepcopy": lambda secret: str(copy.deepcopy([secret])[0]),
}


@pytest.mark.parametrize("way", PRINTED)
def test_every_way_to_print_gives_eight_asterisks(way: str) -> None:
    """Whatever the value, what is printed is the same."""
    assert str(PRINTED[way](Secret(CANARY))).strip("<>") == "********"
    assert str(PRINTED[way](Secret(""))).strip("<>") == MASK


DUMPED: dict[str, Callable[[Secret], object]] = {
    "dir": lambda secret: {name: getattr(secret, name) for name in dir(secret)},
    "every attribute": lambda secret: {name: getattr(secret, name) for name in object.__dir__(secret)},
    "getmembers": inspect.getmembers,
    "names guessed": lambda secret: [getattr(secret, name, None) for name in ("__dict__", "_Secret__value")],
    "a dataclass": lambda secret: Login("kari", secret),
    "asdict": lambda secret: dataclasses.asdict(Login("kari", secret)),
    "a model": lambda secret: Server(password=secret, others=(secret,)),
    "containers": lambda secret: [[secret], {"a": secret}, (secret,)],
}


@pytest.mark.parametrize("way", DUMPED)
def test_dumps_do_not_show_the_value(way: str) -> None:
    """A dump of attributes or of what holds the secret prints something without the value."""
    printed = repr(DUMPED[way](Secret(CANARY)))
    assert printed
    assert CANARY not in printed


def test_there_are_no_vars() -> None:
    """`vars()` finds nothing to show."""
    with pytest.raises(TypeError) as caught:
        vars(Secret(CANARY))
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_it_cannot_be_pickled(protocol: int) -> None:
    """No protocol of pickle takes the value out of the process."""
    with pytest.raises(TypeError, match="a secret cannot be pickled"):
        pickle.dumps([Secret(CANARY)], protocol)


def test_json_refuses_it_without_a_default() -> None:
    """The standard encoder does not know what to write, and says so without the value."""
    with pytest.raises(TypeError) as caught:
        json.dumps({"password": Secret(CANARY)})
    assert CANARY not in str(caught.value)


def fails_with(secret: Secret, login: Login) -> None:
    """Raise where two locals hold a secret."""
    raise RuntimeError(f"cannot log in with {secret} as {login}")


def test_tracebacks_with_locals_do_not_show_it() -> None:
    """A traceback that prints the variables of every frame prints asterisks for the secret."""
    secret = Secret(CANARY)
    try:
        fails_with(secret, Login("kari", secret))
    except RuntimeError as error:
        text = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    assert "secret = ********" in text
    assert CANARY not in text


MISUSES: dict[str, Callable[[Any], object]] = {
    "joined with a number": lambda secret: Secret.join(cast("Any", [secret, 5])),
    "added to text": lambda secret: "a" + secret,
    "text added": lambda secret: secret + "a",
    "among texts": lambda secret: ",".join([secret] * 2),
    "as a number": int,
    "ordered": lambda secret: secret < secret,  # noqa: PLR0124 - one of the ways
    "indexed": lambda secret: secret[0],
    "called": lambda secret: secret(),
    "pickled": pickle.dumps,
    "given an attribute": lambda secret: setattr(secret, "x", 1),
    "searched": lambda secret: "x" in secret,
}


@pytest.mark.parametrize("way", MISUSES)
def test_misuse_does_not_show_it(way: str) -> None:
    """What cannot be done with a secret fails without the value in the error or in the variables of the frames."""
    with pytest.raises((TypeError, AttributeError)) as caught:
        MISUSES[way](Secret(CANARY))
    printed = traceback.TracebackException.from_exception(caught.value, capture_locals=True).format()
    assert CANARY not in "".join(printed)


def test_logging_does_not_show_it(caplog: pytest.LogCaptureFixture) -> None:
    """As an argument, in `extra` and in the message it is asterisks."""
    secret = Secret(CANARY)
    with caplog.at_level(logging.INFO):
        logging.getLogger("test").info("password %s, again %r", secret, secret, extra={"password": secret})
    assert caplog.messages == ["password ********, again ********"]
    assert CANARY not in repr(vars(caplog.records[0]))


@given(st.text(), st.text())
def test_equality_is_that_of_the_values(one: str, other: str) -> None:
    """Two secrets are equal when their values are."""
    assert Secret(one) == Secret(one)
    assert (Secret(one) == Secret(other)) == (one == other)


def test_lone_surrogates_compare_too() -> None:
    """A value that UTF-8 cannot write is still equal to itself only."""
    assert Secret("\ud800") == Secret("\ud800")
    assert Secret("\ud800") != Secret("\ud801")


def test_it_never_equals_text() -> None:
    """Comparing with text cannot be used to guess the value, nor can the asterisks pass for it."""
    assert Secret("abc") != "abc"
    assert Secret(MASK) != MASK
    assert Secret("abc").__eq__("abc") is NotImplemented


@given(st.text(), st.text())
def test_the_hash_tells_nothing(one: str, other: str) -> None:
    """All secrets have the same hash."""
    assert hash(Secret(one)) == hash(Secret(other))


def test_it_works_as_a_key() -> None:
    """A constant hash still finds each secret in a set or dict."""
    found = {Secret("a"): 1, Secret("b"): 2}
    assert found[Secret("b")] == 2
    assert Secret("c") not in found


def test_it_is_immutable() -> None:
    """Nothing can be set or deleted."""
    secret = Secret("abc")
    with pytest.raises(AttributeError, match="a secret does not change"):
        setattr(secret, "_Secret__value", lambda: "x")  # noqa: B010 - mypy knows the assignment is wrong
    with pytest.raises(AttributeError, match="a secret does not change"):
        delattr(secret, "_Secret__value")
    assert secret.reveal() == "abc"


def test_it_is_not_text_and_has_no_length() -> None:
    """Nothing can take it for a string, measure it or walk over it; it is always true."""
    secret = Secret("")
    assert not isinstance(secret, str)
    assert not any(hasattr(secret, name) for name in ("__len__", "__iter__", "__getitem__", "__add__", "__contains__"))
    assert bool(secret)


def test_copies_are_the_secret_itself() -> None:
    """Copying makes no second holder of the value."""
    secret = Secret("abc")
    assert copy.copy(secret) is secret
    assert copy.deepcopy({"a": secret})["a"] is secret


@given(st.lists(st.tuples(st.booleans(), st.text())))
def test_join_puts_the_parts_together(parts: list[tuple[bool, str]]) -> None:
    """Texts and secrets become one secret, in their order."""
    joined = Secret.join(Secret(text) if hidden else text for hidden, text in parts)
    assert isinstance(joined, Secret)
    assert joined.reveal() == "".join(text for _, text in parts)


@pytest.mark.parametrize("value", [None, 5, b"abc", ["abc"]])
def test_only_text_can_be_a_secret(value: object) -> None:
    """Anything else is refused without being repeated."""
    with pytest.raises(TypeError, match=r"^a secret is made of text$"):
        Secret(value)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [CANARY, Secret(CANARY)])
def test_models_hold_secrets_only(value: object) -> None:
    """A field takes text or a secret, and holds a secret, also from JSON and in strict models."""
    server = Server.model_validate({"password": value})
    assert server.password == Secret(CANARY)
    assert Server.model_validate_json(json.dumps({"password": CANARY})).password == Secret(CANARY)
    assert CANARY not in repr(server) + str(server) + server.model_dump_json()


def test_models_refuse_what_is_no_text() -> None:
    """A number is not read as a password."""
    with pytest.raises(ValidationError, match="Input should be a secret or a string"):
        Server.model_validate({"password": 5})


@pytest.mark.parametrize("mode", ["validation", "serialization"])
def test_the_json_schema_says_write_only(mode: str) -> None:
    """Editors see text that can be written and not read."""
    schema = Server.model_json_schema(mode="validation" if mode == "validation" else "serialization")
    assert schema["properties"]["password"] == {"type": "string", "writeOnly": True, **_title(schema)}


def _title(schema: dict[str, dict[str, dict[str, object]]]) -> dict[str, object]:
    password = schema["properties"]["password"]
    return {"title": password["title"]} if "title" in password else {}
