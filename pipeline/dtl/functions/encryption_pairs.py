"""Functions that encrypt with a public key and decrypt with the private one. No I/O, as in `encryption`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pipeline.dtl.functions.encryption import encryption, with_keys
from pipeline.dtl.functions.example_keys import (
    PGP_MESSAGE,
    PGP_PRIVATE,
    PGP_PUBLIC,
    RSA_MESSAGE,
    RSA_PRIVATE,
    RSA_PUBLIC,
)
from pipeline.dtl.limits import MOST_TEXT, bounded
from pipeline.dtl.registry import DROP, Making, Run, shows
from pipeline.dtl.tree import Call

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.padding import OAEP
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
    from pysequoia import Cert, PyDecryptor

__all__ = ["encryption"]


def _padding() -> OAEP:
    from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP  # noqa: PLC0415 - an extra
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415 - an extra

    return OAEP(MGF1(SHA256()), SHA256(), None)


def _rsa_public(text: str) -> RSAPublicKey:
    try:
        from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - an extra
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey  # noqa: PLC0415 - an extra
        from cryptography.hazmat.primitives.serialization import load_pem_public_key  # noqa: PLC0415 - an extra
    except ImportError:
        raise ValueError("this needs the package `cryptography`: `pip install mailweir[encryption]`") from None
    try:
        found = load_pem_public_key(text.encode())
        if isinstance(found, RSAPublicKey):
            return found
    except (ValueError, UnsupportedAlgorithm):
        pass
    raise ValueError("PUBLIC_KEY is an RSA key in PEM, `-----BEGIN PUBLIC KEY-----`")


def _rsa_private(text: str) -> RSAPrivateKey:
    try:
        from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - an extra
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey  # noqa: PLC0415 - an extra
        from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415 - an extra
    except ImportError:
        raise ValueError("this needs the package `cryptography`: `pip install mailweir[encryption]`") from None
    try:
        found = load_pem_private_key(text.encode(), None)
        if isinstance(found, RSAPrivateKey):
            return found
    except (ValueError, TypeError, UnsupportedAlgorithm):  # no key, one with a passphrase, one of another kind
        pass
    raise ValueError("PRIVATE_KEY is an RSA key in PEM without a passphrase, `-----BEGIN RSA PRIVATE KEY-----`")


@encryption.special(
    "encrypt-pki",
    "PUBLIC_KEY VALUES",
    "Each string, encrypted with an RSA key in PEM (OAEP with SHA-256), as bytes. Only short strings: 190 bytes with a "
    "key of 2048 bits.",
    shows(["is-bytes", ["encrypt-pki", "_S.key", "text"]], True, {"key": RSA_PUBLIC}),
    shows(["count", ["encrypt-pki", "_S.key", ["list", "a", 5, "b"]]], 2, {"key": RSA_PUBLIC}),
    shows(["encrypt-pki", "_S.key", None], None, {"key": RSA_PUBLIC}),
    pure=False,
)
def _encrypt_pki(making: Making, call: Call) -> Run:
    return with_keys(str, _rsa_public, _encrypted_pki)(making, call)


def _encrypted_pki(key: RSAPublicKey, text: str) -> bytes:
    data = text.encode("utf-8", "surrogatepass")
    # OAEP takes two hashes and two bytes (RFC 8017, 7.1.1).
    bounded(len(data), key.key_size // 8 - 66, "bytes, which is all that the key can encrypt")
    return key.encrypt(data, _padding())


@encryption.special(
    "decrypt-pki",
    "PRIVATE_KEY VALUES",
    "The strings that were encrypted with the public key of this RSA key in PEM. What was not is left out.",
    shows(["decrypt-pki", "_S.key", "_S.secret"], "Kari", {"key": RSA_PRIVATE, "secret": RSA_MESSAGE}),
    shows(["decrypt-pki", "$SECRET(key)", None], None),
    shows(["decrypt-pki", "$SECRET(key)", ["list", "text", 5]], []),
    pure=False,
)
def _decrypt_pki(making: Making, call: Call) -> Run:
    return with_keys(bytes, _rsa_private, _decrypted_pki)(making, call)


def _decrypted_pki(key: RSAPrivateKey, data: bytes) -> Any:
    try:
        return key.decrypt(data, _padding()).decode("utf-8", "surrogatepass")
    except ValueError:
        return DROP


_NEEDED: Final = "this needs the package `pysequoia`: `pip install mailweir[pgp]`"


def _pgp_public(text: str) -> Cert:
    try:
        from pysequoia import Cert  # noqa: PLC0415 - an extra
    except ImportError:
        raise ValueError(_NEEDED) from None
    try:
        return Cert.from_bytes(text.encode())
    except RuntimeError:  # for every fault, with words for programmers
        raise ValueError("PUBLIC_KEY is an OpenPGP key, `-----BEGIN PGP PUBLIC KEY BLOCK-----`") from None


def _pgp_private(text: str, passphrase: str) -> PyDecryptor:
    try:
        from pysequoia import Tsk  # noqa: PLC0415 - an extra
    except ImportError:
        raise ValueError(_NEEDED) from None
    try:
        key = Tsk.from_bytes(text.encode())
    except RuntimeError:
        raise ValueError("PRIVATE_KEY is an OpenPGP key, `-----BEGIN PGP PRIVATE KEY BLOCK-----`") from None
    try:
        return key.decryptor(passphrase or None)
    except RuntimeError:
        raise ValueError("PASSPHRASE does not open PRIVATE_KEY, or PRIVATE_KEY is for no messages") from None


@encryption.special(
    "encrypt-pgp",
    "PUBLIC_KEY VALUES",
    "Each string, encrypted with an OpenPGP key, as a message in ASCII.",
    shows(["substring", 0, 27, ["encrypt-pgp", "_S.key", "text"]], "-----BEGIN PGP MESSAGE-----", {"key": PGP_PUBLIC}),
    shows(["count", ["encrypt-pgp", "_S.key", ["list", "a", 5, "b"]]], 2, {"key": PGP_PUBLIC}),
    shows(["encrypt-pgp", "_S.key", None], None, {"key": PGP_PUBLIC}),
    pure=False,
)
def _encrypt_pgp(making: Making, call: Call) -> Run:
    return with_keys(str, _pgp_public, _encrypted_pgp)(making, call)


def _encrypted_pgp(key: Cert, text: str) -> str:
    from pysequoia import encrypt  # noqa: PLC0415 - an extra

    try:
        return encrypt(text.encode("utf-8", "surrogatepass"), [key]).decode()
    except RuntimeError:
        raise ValueError("PUBLIC_KEY is for no messages, or is no longer valid") from None


@encryption.special(
    "decrypt-pgp",
    "PRIVATE_KEY PASSPHRASE VALUES",
    "The strings of OpenPGP messages in ASCII that were encrypted with the public key of this one, which PASSPHRASE "
    "opens; null, if it has none. What was not is left out.",
    shows(["decrypt-pgp", "_S.key", None, "_S.secret"], "Kari", {"key": PGP_PRIVATE, "secret": PGP_MESSAGE}),
    shows(["decrypt-pgp", "$SECRET(key)", "$SECRET(passphrase)", None], None),
    shows(["decrypt-pgp", "$SECRET(key)", None, ["list", 5, True]], []),
    pure=False,
)
def _decrypt_pgp(making: Making, call: Call) -> Run:
    return with_keys(str, _pgp_private, _decrypted_pgp)(making, call)


def _decrypted_pgp(key: PyDecryptor, message: str) -> Any:
    from pysequoia import decrypt  # noqa: PLC0415 - an extra

    try:
        data = decrypt(message.encode(), decryptor=key).bytes or b""
        bounded(len(data), MOST_TEXT, "bytes")
        return data.decode("utf-8", "surrogatepass")
    except (RuntimeError, UnicodeError):
        return DROP
