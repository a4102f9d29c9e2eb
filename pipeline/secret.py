"""A secret: text that has one way out. No I/O.

Whatever prints, formats, compares, copies or dumps a `Secret` sees eight asterisks, never the value, its length or
its hash. Only `reveal()` gives the value; it is called where the value goes on the wire and nowhere else.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final, NoReturn, final

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import CoreSchema

MASK: Final = "********"
"""What stands in the place of every secret, whatever its length."""


@final
class Secret:
    """Immutable text that prints as `********`.

    The value lives in a closure: no attribute holds it, so that a dump which walks `dir()` or the slots finds a
    function. It is no `str`, has no length and cannot be iterated, so nothing takes it for text by accident.
    """

    __slots__ = ("__value",)
    __value: Callable[[], str]

    def __init__(self, value: str) -> None:
        """Take the text that is to be hidden."""
        if not isinstance(value, str):
            raise TypeError("a secret is made of text")
        object.__setattr__(self, "_Secret__value", lambda: value)

    @staticmethod
    def join(parts: Iterable[str | Secret]) -> Secret:
        """One secret of all parts, in their order."""
        pieces = tuple(parts)
        if not all(isinstance(piece, str | Secret) for piece in pieces):
            raise TypeError("the parts of a secret are texts and secrets")
        return Secret("".join(piece.reveal() if isinstance(piece, Secret) else piece for piece in pieces))

    def reveal(self) -> str:
        """The value. Keep it out of variables that outlive the call it is for."""
        return self.__value()

    def __repr__(self) -> str:
        """Eight asterisks."""
        return MASK

    def __str__(self) -> str:
        """Eight asterisks."""
        return MASK

    def __format__(self, spec: str) -> str:
        """Eight asterisks, whatever width is asked for."""
        return MASK

    def __dir__(self) -> list[str]:
        """The one name that is worth knowing."""
        return ["reveal"]

    def __eq__(self, other: object) -> bool:
        """Whether both are secrets of the same value, in a time that does not depend on where they differ."""
        if not isinstance(other, Secret):
            return NotImplemented
        mine, theirs = (secret.reveal().encode("utf-8", "surrogatepass") for secret in (self, other))
        return hmac.compare_digest(mine, theirs)

    def __hash__(self) -> int:
        """The same number for all: one made from the value could be printed, and tried against a list of words."""
        return 0x5EC4E7

    def __setattr__(self, name: str, value: object) -> NoReturn:
        """Refuse."""
        raise AttributeError("a secret does not change")

    def __delattr__(self, name: str) -> NoReturn:
        """Refuse."""
        raise AttributeError("a secret does not change")

    def __copy__(self) -> Secret:
        """The secret itself, as it does not change."""
        return self

    def __deepcopy__(self, memo: dict[int, object]) -> Secret:
        """The secret itself, as it does not change."""
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        """Refuse: a pickle would carry the value to a file or to another process."""
        raise TypeError("a secret cannot be pickled")

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Fields of this type take a secret or text, hold a secret, and are dumped as eight asterisks."""
        from pydantic_core import core_schema  # noqa: PLC0415 - only pydantic asks, and it is loaded by then

        return core_schema.no_info_plain_validator_function(
            cls._validated,
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda _: MASK, return_schema=core_schema.str_schema()
            ),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Text that can be written and not read."""
        return {"type": "string", "writeOnly": True}

    @staticmethod
    def _validated(value: Any) -> Secret:  # noqa: ANN401 - pydantic hands over whatever was written
        from pydantic_core import PydanticCustomError  # noqa: PLC0415 - as above

        if isinstance(value, Secret):
            return value
        if isinstance(value, str):
            return Secret(value)
        raise PydanticCustomError("secret_type", "Input should be a secret or a string")
