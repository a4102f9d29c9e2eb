"""Where mail of a run goes: to servers of others, to this machine, or nowhere but a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from mailweir.flows import mail_sink, mail_systems
from mailweir.listing.components import address
from pipeline.config.glyphs import visible
from systems.eml import EmlConfig
from systems.sms import SmsSystemConfig
from systems.smtp.config import SmtpConfig
from systems.smtp.form_rules import is_local
from systems.spool.config import SpoolConfig

if TYPE_CHECKING:
    from mailweir.running import Run
    from mailweir.systems_of import Systems
    from pipeline.config.load import Loaded

Mode = Literal["real", "local", "folder"]
_words = {"real": "REAL DELIVERY", "local": "on this machine", "folder": "nothing is sent"}


class Destination(NamedTuple):
    """A mail system for people: what it is, and whether its mail can leave the machine."""

    place: str
    mode: Mode


def destination(loaded: Loaded, systems: Systems, name: str) -> Destination:
    """Where mail through a system goes in the end."""
    config = systems.config(name, object)
    if isinstance(config, EmlConfig):
        return Destination(f"the folder {config.folder}", "folder")
    if isinstance(config, SpoolConfig):
        if not config.process:
            return Destination(f"the queue {name}", "folder")
        behind = destination(loaded, systems, config.system)
        return Destination(f"the queue {name}, and from there to {behind.place}", behind.mode)
    component: Any = next(one for one in loaded.project.components if one.id == name)
    place = address(component) or name
    here = isinstance(config, SmtpConfig | SmsSystemConfig) and all(map(_is_here, place.split(", ")))
    return Destination(place, "local" if here else "real")


def _is_here(place: str) -> bool:
    host, colon, port = place.rpartition(":")
    return place.startswith("/") or is_local(host if colon and port.isdecimal() else place)


def destinations(loaded: Loaded, run: Run) -> dict[str, Destination]:
    """Those of the systems that a run mails through."""
    return {name: destination(loaded, run.systems, name) for name in mail_systems(run.pipes)}


def is_real(loaded: Loaded, run: Run) -> bool:
    """Whether mail of this run can leave the machine."""
    return any(one.mode == "real" for one in destinations(loaded, run).values())


def banner(loaded: Loaded, run: Run) -> list[str]:
    """Where mail goes, a line for each system, and what keeps it from going there."""
    lines: list[str] = []
    for name, (place, mode) in destinations(loaded, run).items():
        sinks = [sink for sink in map(mail_sink, run.pipes) if sink is not None and sink.system == name]
        senders = ", ".join(dict.fromkeys(sink.sender for sink in sinks if sink.sender))
        sender = f" as {senders}" if senders else ""
        title = "" if lines else "Mail goes to"
        lines.append(f"{title:14}{place}{sender}   {_words[mode]}   profile {loaded.profile}")
    wishes = run.asked.wishes
    if wishes.to:
        lines.append(f"{'Redirected':14}every mail goes to {wishes.to}")
    if wishes.only_to:
        lines.append(f"{'Only to':14}{', '.join(wishes.only_to)}; mail to others is held")
    return [visible(line) for line in lines]
