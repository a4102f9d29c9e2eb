"""Names that are another one but for a slip of the hand."""

import pytest

from pipeline.config.shape import shapes
from pipeline.config.slip import short_for, slip
from pipeline.pipe import PipeConfig, PumpConfig
from sinks.mail.config import MailConfig
from systems.smtp.config import SmtpConfig

SMTP, PIPE, PUMP, MAIL = (list(shapes(model)) for model in (SmtpConfig, PipeConfig, PumpConfig, MailConfig))


@pytest.mark.parametrize(
    ("name", "known", "meant"),
    [
        ("smtp_sever", SMTP, "smtp_server"),
        ("smtp_servr", SMTP, "smtp_server"),
        ("smtp_prt", SMTP, "smtp_port"),
        ("use_tsl", SMTP, "use_tls"),
        ("smtpPort", SMTP, "smtp_port"),
        ("SMTP-PORT", SMTP, "smtp_port"),
        ("smtpserver", SMTP, "smtp_server"),
        ("smtpsever", SMTP, "smtp_server"),
        ("id", SMTP, "_id"),
        ("typ", SMTP, "type"),
        ("sorce", PIPE, "source"),
        ("chekpoint_intervl", PIPE, "checkpoint_interval"),
        ("startls", ["none", "starttls"], "starttls"),
        ("try", ["TRY", "NO"], "TRY"),
        ("embeded", ["embedded", "empty"], "embedded"),
    ],
)
def test_a_slip_has_one_meaning(name: str, known: list[str], meant: str) -> None:
    """A letter too many, too few, changed or swapped; other case, other signs between the words."""
    assert slip(name, known) == meant


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("schedule_interval", PIPE),
        ("batch_retries", PIPE),
        ("batch_size", PUMP),
        ("deletion_tracking", PIPE),
        ("data", PIPE),
        ("user", SMTP),
        ("max_per_minute", SMTP),
        ("smtp_post", SMTP),
        ("recipient", MAIL),
        ("server", SMTP),
        ("mail_form", ["mail_for", "mail_from"]),
        ("smtp-1", ["smtp-2"]),
        ("tls1.2", ["tls1.3"]),
        ("server2", ["server"]),
        ("of", ["off", "manual"]),
        ("smtp_port", ["smtp_port"]),
        ("", ["a"]),
        ("_", ["-"]),
        ("x" * 101, ["x" * 100]),
    ],
)
def test_another_word_is_no_slip(name: str, known: list[str]) -> None:
    """A word of its own, a plural, another digit, or two that may be meant: nothing is sure."""
    assert slip(name, known) is None


@pytest.mark.parametrize("known", [SMTP, PIPE, PUMP, MAIL], ids=["smtp", "pipe", "pump", "mail"])
def test_no_property_is_a_slip_of_another_one(known: list[str]) -> None:
    """What is a right name in one object is never rewritten as another one of the same object."""
    for name in known:
        assert slip(name, [other for other in known if other != name]) is None, name


def test_a_short_form_leaves_letters_out() -> None:
    """Each word keeps its first letter, and no digit is lost."""
    assert short_for("our-smtp-srv", "our-smtp-server")
    assert short_for("OurSrv", "our_server")
    assert not short_for("backup-server", "our-server")
    assert not short_for("our-server", "our-smtp-server")
    assert not short_for("our-s", "our-server2")
    assert not short_for("our-rver", "our-server")
