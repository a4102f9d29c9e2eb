"""Functions that encrypt and decrypt. No I/O but the randomness that encryption is made of.

Those with a public key and a private one stand in `encryption_pairs`.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Callable
from hashlib import pbkdf2_hmac
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pipeline.dtl.errors import located
from pipeline.dtl.registry import DROP, Making, Run, Subject, shows
from pipeline.dtl.scope import Scope
from pipeline.dtl.tree import Call
from pipeline.dtl.values import first
from pipeline.secret import Secret

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

encryption: Final = Subject(
    "encryption",
    "Encryption",
    'Keys are best given as `"$SECRET(name)"`. These functions need the package `cryptography`: '
    "`pip install mailweir[encryption]`; those of OpenPGP need `pysequoia`: `pip install mailweir[pgp]`.",
)

# What a password becomes a key with. The passwords of a configuration are few and made into keys once, so that this
# may take a while: OWASP's number for this function (2023).
_ROUNDS: Final = 600_000
_SALT: Final = b"mailweir: encrypt in rules"
# Keys that are computed from entities are few too; this many are kept.
_MOST_KEYS: Final = 32


T = TypeVar("T")


def _fernet(password: str) -> Fernet:
    if not password:
        raise ValueError("KEY is a text")
    try:
        from cryptography.fernet import Fernet  # noqa: PLC0415 - an extra
    except ImportError:
        raise ValueError("this needs the package `cryptography`: `pip install mailweir[encryption]`") from None
    return Fernet(urlsafe_b64encode(pbkdf2_hmac("sha256", password.encode(), _SALT, _ROUNDS)))


def with_keys(kind: type, opened: Callable[..., T], work: Callable[[T, Any], Any]) -> Callable[[Making, Call], Run]:
    """A function of keys, which are texts, and of values of one type. What `work` gives DROP for is left out.

    `opened` makes what works with the keys; "" stands for one that is null. It is kept.
    """

    def make(making: Making, call: Call) -> Run:
        *keys, values = map(making.expression, call.args)
        ready: dict[tuple[str, ...], T] = {}

        def cipher(scope: Scope) -> T:
            texts = tuple(_text(key(scope)) for key in keys)
            if texts not in ready:
                if len(ready) >= _MOST_KEYS:
                    ready.clear()
                ready[texts] = opened(*texts)
            return ready[texts]

        def run(scope: Scope) -> Any:
            found = values(scope)
            try:
                if type(found) is list:
                    made = [work(cipher(scope), one) for one in found if type(one) is kind]
                    return [one for one in made if one is not DROP]
                one = work(cipher(scope), found) if type(found) is kind else None
            except Exception as error:
                raise located(error, call) from error
            return None if one is DROP else one

        return run

    return make


def _text(value: Any) -> str:
    given = first(value)
    text = given.reveal() if isinstance(given, Secret) else given
    if text is not None and type(text) is not str:
        raise ValueError("a key is a text")
    return text or ""


@encryption.special(
    "encrypt",
    "KEY VALUES",
    "Each string, encrypted with a password, as bytes. The same string is encrypted differently each time.",
    shows(["is-string", ["encrypt", "a password", "text"]], False),
    shows(["count", ["encrypt", "a password", ["list", "a", 5, "b"]]], 2),
    shows(["encrypt", "a password", 5], None),
    pure=False,
)
def _encrypt(making: Making, call: Call) -> Run:
    return with_keys(str, _fernet, lambda cipher, text: cipher.encrypt(text.encode("utf-8", "surrogatepass")))(
        making, call
    )


@encryption.special(
    "decrypt",
    "KEY VALUES",
    "The strings that were encrypted with this password. What was not is left out.",
    shows(["decrypt", "a password", ["encrypt", "a password", "text"]], "text"),
    shows(["decrypt", "a password", ["encrypt", "a password", ["list", "a", "b"]]], ["a", "b"]),
    shows(["decrypt", "a password", ["encrypt", "another", "text"]], None),
    pure=False,
)
def _decrypt(making: Making, call: Call) -> Run:
    return with_keys(bytes, _fernet, _decrypted)(making, call)


def _decrypted(cipher: Fernet, data: bytes) -> Any:
    from cryptography.fernet import InvalidToken  # noqa: PLC0415 - an extra

    try:
        return cipher.decrypt(data).decode("utf-8", "surrogatepass")
    except InvalidToken:
        return DROP
