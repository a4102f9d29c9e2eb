"""Which names hold secrets, and which parts of a text are masked."""

from __future__ import annotations

import json
from difflib import SequenceMatcher

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.config.mask import is_secret_name, masked, merged, secret_spans
from pipeline.config.text import read
from pipeline.config.tree import Document

CANARY = "Kanarie7d1f"


def words(text: str) -> list[str]:
    """The words of a text."""
    return text.split()


SECRET_NAMES = words("""
    password passwd passphrase secret token api_key apikey private_key credential credentials client_secret access_key
    smtp_password smtp-password smtp.password smtpPassword SMTPPassword SMTP_PASSWORD password2 old_password
    passwrod pasword smtp_pasword passwod passwrd pssword passw0rd passwort pass_word secert tokne crendentials
    passphrse privat_key private_ky acess_key api_kye
    apiKey APIKey API_KEY x-api-key X-Api-Key privateKey privateKeyPEM accessKey clientSecret authToken accesstoken
    dbpassword secrets tokens api_keys dkim_private_key aws_secret_access_key secret_id refresh_token bearer_token
    smtp_pass pwd authorization Authorization encryption_key signing_key master_key shared_key ssh_key jwt
    password_hash
    MYPASS DBPASS smtppass userpwd mailpw token2 smtp_pass2 api_key3 tokne7
""")

OTHER_NAMES = words("""
    max_per_hour tokenizer tokenize secretary secretariat key primary_key author authors keyring path smtp_username
    recipients_property smtp_server smtp_port use_tls mail_from subject subject_template body_template type _id name
    description comment metadata unhandled_template_variable_replacement verify_peer verify_host ca_file ca_path
    pipelining delivery skip_deleted allow_cycle count_by on_limit schedule source sink system dataset transform
    password_property token_url token_endpoint private_key_file credentials_path secret_name max_tokens token_count
    password_min_length session_timeout passed tests_passed passenger passport passport_number phrase secure security
    action_taken public_key sort_key partition_key foreign_key idempotency_key success_key map_key app_key keyword
    bypass pass_through compass monkey select sector section broken spoken kitchen accepts predicate word world 1 _ -
    k1 word2 pass_through2 underpass mybypass token_count2 primary_key2 smtp_server2
""")


WORDS_OF_THEIR_OWN = {"pass", "passed", "passes", "passport", "passports", "sect", "secretary", "taken", "ten"}


@pytest.mark.parametrize("name", SECRET_NAMES)
def test_a_name_of_a_secret_is_known(name: str) -> None:
    """However it is written and if one letter is wrong, a name that holds a secret is taken as one."""
    assert is_secret_name(name)


@pytest.mark.parametrize("name", ["", " ", "€", *OTHER_NAMES])
def test_another_name_is_not_taken_for_one(name: str) -> None:
    """Words that merely look alike, and names that tell something about a secret, hide nothing."""
    assert not is_secret_name(name)


@given(st.text(alphabet="paswordecthkyn0", max_size=14))
def test_near_is_what_difflib_finds_near(part: str) -> None:
    """The short cuts before the comparison find whatever the comparison alone would find."""
    ratio = max(SequenceMatcher(None, part, known).ratio() for known in ("password", "passwd", "token", "secret"))
    if ratio >= 0.75 and part not in WORDS_OF_THEIR_OWN:
        assert is_secret_name(f"x_{part}_value")


@given(st.text(max_size=200))
def test_every_text_can_be_a_name(name: str) -> None:
    """No name raises, and a secret word after it makes it one."""
    is_secret_name(name)
    assert is_secret_name(f"x_{name}_password")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"password": "a"}', '{"password": "********"}'),
        ('{"password": ""}', '{"password": "********"}'),
        ('{"password": 12, "pin": 3}', '{"password": "********", "pin": 3}'),
        ('{"token": -1.5e3}', '{"token": "********"}'),
        ('{"password": null, "secret": true, "token": false}', None),
        ('{"password": "$SECRET(x)", "token": "$ENV(a)$SECRET(b)", "secret": " $ENV(a) "}', None),
        ('{"token": "Bearer $SECRET(x)"}', '{"token": "********"}'),
        ('{"token": "$$SECRET(x)"}', '{"token": "********"}'),
        ('{"token": "$secret(x)", "secret": "$SECRET(x", "passwd": "$ENV($SECRET(x))"}', None),
        ('{"a": {"credentials": {"user": "u", "pass": ["p", 1, null]}}}',
         '{"a": {"credentials": {"user": "********", "pass": ["********", "********", null]}}}'),
        ('[{"api_keys": ["a", "$SECRET(b)"]}]', '[{"api_keys": ["********", "$SECRET(b)"]}]'),
        ('{"smtp_passw\\u006frd": "a"}', '{"smtp_passw\\u006frd": "********"}'),
        ('{"password": "a", "password": "b"}', '{"password": "********", "password": "********"}'),
        ('{"password": {"a": "b"}, "password": 1}', '{"password": {"a": "********"}, "password": "********"}'),
        ('{"name": "password", "x": "your password: abc", "y": "password"}', None),
        ('{"html": "<input type=\\"password\\" name=\\"p\\">"}', None),
        ('{"password": "a\\"b,", "x": "y"}', '{"password": "********", "x": "y"}'),
        ('{"password"\n:\n"a"\n,"x":1}', '{"password"\n:\n"********"\n,"x":1}'),
        ('{"url": "smtp://me:pw@h:25"}', '{"url": "smtp://********@h:25"}'),
        ('{"url": "smtp://$ENV(u):$SECRET(p)@h"}', None),
        ('{"url": "smtp://me:p\\"w\\u0040x y@h"}', '{"url": "smtp://********@h"}'),
        ('{"url": "smtp:\\/\\/me\\u003apw\\u0040h"}', '{"url": "smtp:\\/\\/********\\u0040h"}'),
        ('{"a": ["see http://a:b@c or http://d@e"]}', '{"a": ["see http://********@c or http://********@e"]}'),
        ('{"smtp://me:pw@h": 1}', '{"smtp://********@h": 1}'),
        ('{"password": "smtp://me:pw@h"}', '{"password": "********"}'),
        ("{}", None),
        ('"password"', None),
    ],
)  # fmt: skip
def test_values_of_a_document(text: str, expected: str | None) -> None:
    """Literal values below secret names are masked, and logins in URLs; references, booleans and null can be read."""
    assert masked(text, secret_spans(read(text, "f"))) == (expected or text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{'password': 'a'}", "{'password': \"********\"}"),
        ('{"password": a, "x": 1,}', '{"password": "********", "x": 1,}'),
        ('{"password": a b,\n"x": 1}', '{"password": "********",\n"x": 1}'),
        ("{password: a}", '{password: "********"}'),
        ('{"password" "a"}', '{"password" "********"}'),
        ('{"password" a}', '{"password" "********"}'),
        ('{password "a"}', '{password "********"}'),
        ("{\n  password a\n}", '{\n  password "********"\n}'),
        ('{"password"="a"}', '{"password"="********"}'),
        ('{"password" => "a"}', '{"password" => "********"}'),
        ('{"password", "a"}', '{"password", "********"}'),
        ('{"password":, "a"}', '{"password":, "********"}'),
        ('{"password: "a"}', '{"password: "********"}'),
        ('{password": "a"}', '{password": "********"}'),
        ('{"password": "a}', '{"password": "********"'),
        ('{"password": a", "x": 1}', '{"password": "********", "x": 1}'),
        ('{"password": "a\n  "x": 1}', '{"password": "********"\n  "x": 1}'),
        ('{"password": "a,\n  "x": 1}', '{"password": "********"\n  "x": 1}'),
        ('{"password": "a\nb\nc",\n  "x": 1}', '{"password": "********",\n  "x": 1}'),
        ('{"key": 1,, "private_key": "-----BEGIN\nProc-Type: 4\n\nMII=\n-----END",\n  "x": 1}',
         '{"key": 1,, "private_key": "********",\n  "x": 1}'),
        ('{"password": "a"b",\n "x": 1}', '{"password": "********",\n "x": 1}'),
        ('{"password": "a",b",\n "x": 1}', '{"password": "********",\n "x": 1}'),
        ("{\"password\": \"a',\n \"x\": 1}", '{"password": "********"\n "x": 1}'),
        ('{"password": “a”,\n "x": 1}', '{"password": "********",\n "x": 1}'),
        ('{"password": $SECRET(x)\n "x": 1}', '{"password": $SECRET(x)\n "x": 1}'),
        ('{"password": None, "x": 1}', '{"password": None, "x": 1}'),
        ('{"password":\n  "x": 1}', '{"password":\n  "x": 1}'),
        ('{"password": "********" "x": 1}', '{"password": "********" "x": 1}'),
        ('{"tokens": ["a", b, {"c": "d"} "x"], "x": 1,}',
         '{"tokens": ["********", "********", {"c": "********"} "********"], "x": 1,}'),
        ('{"tokens": ["a"', '{"tokens": ["********"'),
        ('{"type": "token" "x": 1}', '{"type": "token" "x": 1}'),
        ('{"type": "token"\n "x": 1}', '{"type": "token"\n "x": 1}'),
        ('{"type": "token"},\n{"x": 1}', '{"type": "token"},\n{"x": 1}'),
        ('{"html": "type your password and a token, please", "x": 1,}', None),
        ('{"html": "<input type=\\"password\\" id=\\"p\\">", "x": 1,}', None),
        ('{"x": "$SECRET(smtp-password)", "y": 1,}', None),
        ('# a\nSMTP_PASSWORD=a b, "c\nPORT=25\n', '# a\nSMTP_PASSWORD="********"\nPORT=25\n'),
        ("password: a\n", 'password: "********"\n'),
        ("password", None),
        ("password:", None),
        ('"password": "', '"password": "********"'),
    ],
)  # fmt: skip
def test_values_in_a_text_that_did_not_parse(text: str, expected: str | None) -> None:
    """Where the tree has no value the text tells: quotes, colons and commas may be missing or wrong."""
    for document in (read(text, "f"), Document("f", text, None, [])):
        assert masked(text, secret_spans(document)) == (expected or text)


def broken(text: str) -> st.SearchStrategy[str]:
    """The text with one character lost, doubled or replaced, the names and the canary being whole."""
    kept = [range(at, at + len(word)) for word in ("smtp_password", CANARY) for at in [text.index(word)]]
    places = [at for at in range(len(text)) if not any(at in place for place in kept)]
    return st.builds(
        lambda at, new, lost: text[:at] + new + text[at + lost :],
        st.sampled_from(places),
        st.sampled_from(["", *"\"',:{}[]\n$\\ =#/x"]),
        st.sampled_from([0, 1]),
    )


WHOLE = json.dumps(
    {"_id": "server", "smtp_password": CANARY, "use_tls": True, "text": "type your password, or a token"}, indent=2
)


@given(broken(WHOLE) | broken(WHOLE.replace("\n", "")) | broken(WHOLE.replace('"', "'")))
def test_one_wrong_character_uncovers_nothing(text: str) -> None:
    """Whatever one character is lost, doubled or wrong beside name and value, the value stays masked."""
    shown = masked(text, secret_spans(read(text, "f")))
    # With `[` for its quote the name runs on into a list, and nothing tells where the value begins.
    if "smtp_password[" not in text:
        assert CANARY not in shown


@given(
    st.dictionaries(
        st.sampled_from(["a", "port", "password", "api_key", "text"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=8),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
            max_leaves=6,
        ),
    ),
    st.sampled_from([None, 1]),
)
def test_in_a_document_that_parsed_exactly_the_values_are_masked(value: dict[str, object], indent: int | None) -> None:
    """Strings and numbers below the two names become masks, and nothing else changes."""

    def hidden(node: object, *, secret: bool) -> object:
        match node:
            case dict():
                return {name: hidden(v, secret=secret or name in {"password", "api_key"}) for name, v in node.items()}
            case list():
                return [hidden(item, secret=secret) for item in node]
            case str() | int() if secret and not isinstance(node, bool):
                return "********"
        return node

    text = json.dumps(value, indent=indent)
    assert json.loads(masked(text, secret_spans(read(text, "f")))) == hidden(value, secret=False)


@given(st.text(alphabet="password:=\"'{}[],$\n \\ENV()", max_size=80))
def test_spans_are_in_order_and_inside(text: str) -> None:
    """For any text the spans are not empty, do not touch, and lie in it."""
    spans = secret_spans(read(text, "f"))
    edges = [edge for span in spans for edge in span]
    assert edges == sorted(set(edges))
    assert all(0 <= edge <= len(text) for edge in edges)


def test_spans_are_merged() -> None:
    """Spans that overlap or touch are one; what lies outside of the text is left out."""
    assert merged([(8, 20), (3, 5), (5, 6), (4, 5), (2, 2), (-3, 1), (30, 40), (7, 6)], 10) == [(0, 1), (3, 6), (8, 10)]


def test_a_hostile_text_is_read_to_its_end() -> None:
    """Hundreds of thousands of places where a value might begin are all looked at."""
    for part in (
        '"password"',
        "password:{",
        '"password": "a\n',
        "password \t",
        '"password", ',
        "'password' '",
        "$ENV(",
    ):
        text = part * 20_000
        assert secret_spans(Document("f", text + '\n"token": "x"}', None, []))[-1][1] >= len(text)


def test_what_is_not_read_is_hidden() -> None:
    """Of a file with too many values what follows is looked through for a while, and hidden from there on."""
    before = '{"password": "hunter2", "list": [' + "1," * 100_000
    text = before + ' {"password": "hunter3"},' + '"a", ' * 1000 + '"hunter4"'
    document = read(text, "f")
    assert document.cut
    found = secret_spans(document)
    assert [text[start:end] for start, end in found[:2]] == ['"hunter2"', '"hunter3"']
    (start, end) = found[2]
    assert found[1][1] + 100 < start < text.index("hunter4")
    assert end == len(text)
