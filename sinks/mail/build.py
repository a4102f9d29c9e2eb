"""From the configuration of a mail sink to the sink: the one place that knows both."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pipeline.component import SinkContext, Wishes
from pipeline.state.facts import Ask
from sinks.mail.maker import Maker, Makes
from sinks.mail.people import Guards
from sinks.mail.settings import policy, settings
from sinks.mail.sink import MailSink, Post
from systems.mail import CarrierConfig, MailSystem, gate_of

if TYPE_CHECKING:
    from pipeline.config.given import Given
    from pipeline.template.watched import Saw
    from sinks.mail.config import MailConfig
    from sinks.outgoing import OutgoingConfig


def sink_of(config: OutgoingConfig, context: SinkContext, maker: Makes) -> MailSink:
    """The sink in a run, with this maker of its mails."""
    running = context.run
    declared = context.config(config.system, CarrierConfig)
    gate, limit = gate_of(declared, context.configs(CarrierConfig))
    post = Post(
        context.system(config.system, MailSystem),
        Ask(config.system, gate, limit, declared.on_limit, declared.count_by),
        policy(config),
        expires_after=config.expires_after,
        digest=None if running.shaped else config.gathers(),
    )
    return MailSink(context.pipe, maker, post, running, lambda: context.now() / 1e9)


def maker_of(
    config: MailConfig,
    context: SinkContext,
    run: str,
    wishes: Wishes,
    given: Given | None = None,
    saw: Saw | None = None,
) -> Maker:
    """What makes the mails: for a run, a preview, a dry run or a test.

    With what was `given` faults show file and line; `saw` is told what templates reach.
    """
    return Maker(settings(config, context.root, guards(wishes), given, saw), context.pipe, run)


def guards(wishes: Wishes) -> Guards:
    """Who may get mail in a run."""
    found = Guards()
    if wishes.to is not None:
        found = replace(found, redirect_to=wishes.to)
    return replace(found, only_to=wishes.only_to) if wishes.only_to else found
