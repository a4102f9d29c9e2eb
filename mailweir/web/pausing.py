"""Pausing and resuming what a service looks after, for programs and for pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mailweir.serving.pauses import PAUSES, Pause, name_of, pauses_of, text_of
from mailweir.web.route import RefusedError
from pipeline.state.facts import Batch

if TYPE_CHECKING:
    from mailweir.serving.pauses import What
    from mailweir.web.route import Call
    from mailweir.web.site import Site

# A pause of more than a year is one without end.
LONGEST: Final = 366 * 24 * 3600
MOST_REASON: Final = 500


def known(site: Site, what: What, name: str) -> str:
    """The `_id`, if there is such a component; else it is refused."""
    if all(one.id != name or one.kind != what for one in site.config.loaded.project.components):
        raise RefusedError(404, f"there is no {what} `{name}`")
    return name


async def pause(site: Site, call: Call, what: What, name: str, reason: str, seconds: int | None) -> None:
    """Until somebody resumes it, or for some seconds."""
    if not reason.strip():
        raise RefusedError(400, "`reason` is missing: it is shown to everyone until it is resumed")
    now = site.clock.wall()
    by = "" if call.caller is None else call.caller.name
    held = Pause(by, now, reason, None if seconds is None else now + seconds)
    await site.state.admit(Batch(notes={name_of(what, name): text_of(held)}))


async def resume(site: Site, what: What, name: str) -> bool:
    """Let it go on; whether it was paused."""
    before = (await pauses(site)).get((what, name))
    await site.state.admit(Batch(notes={name_of(what, name): ""}))
    return before is not None


async def pauses(site: Site) -> dict[tuple[What, str], Pause]:
    """Those that hold."""
    return pauses_of(await site.state.notes(PAUSES), site.clock.wall())


async def run(site: Site, name: str) -> None:
    """Run a pipe as soon as it can; it is refused where it cannot."""
    held = (await pauses(site)).get(("pipe", name))
    if held is not None:
        raise RefusedError(409, f"`{name}` was paused by {held.by}: {held.reason}")
    if "scheduler" not in site.service.options.roles:
        raise RefusedError(409, "this service runs no pipes (`--role`): ask the one that does")
    if not site.service.ask(name):
        raise RefusedError(409, f"`{name}` does not run: its mode is `off`, or it runs when its entities are asked for")
