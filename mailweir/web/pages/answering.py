"""Answers for browsers: a page in its frame, a refusal as a page, and the way on after something was done."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from starlette.responses import Response
from starlette.routing import compile_path

from mailweir.destination import destination
from mailweir.flows import mail_systems
from mailweir.systems_of import Systems
from mailweir.web.pages.frame import Frame, banner_of, counts_of, goals_of, nearest
from mailweir.web.pages.rendering import Renderer

if TYPE_CHECKING:
    from mailweir.serving.config import Served
    from mailweir.serving.overview import Overview
    from mailweir.web.access import Caller
    from mailweir.web.front import Refused
    from mailweir.web.pages.frame import Banner
    from mailweir.web.route import Call, RefusedError
    from mailweir.web.site import Site

# Nothing but what we serve: no text of a mail, a file or a server can run or load anything.
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
MEDIA: Final = "text/html; charset=utf-8"
_headers: Final = {"Content-Security-Policy": POLICY, "Cache-Control": "no-store"}


class Pages:
    """Makes the answers of all pages."""

    def __init__(self, site: Site, renderer: Renderer) -> None:
        """Of this service."""
        self._site = site
        self.renderer = renderer
        self._banner: tuple[Served, Banner] | None = None

    def serves(self, address: str) -> bool:
        """Whether there is a page at this address."""
        path = address.partition("?")[0]
        return any(one.page and compile_path(one.path)[0].match(path) for one in self._site.routes)

    async def page(
        self,
        call: Call,
        template: str,
        title: str,
        *,
        overview: Overview | None = None,
        here: str = "",
        topics: str = "",
        status: int = 200,
        **model: Any,  # noqa: ANN401 - what the template shows
    ) -> Response:
        """A page: its template is given `frame`, `title`, `may`, `serves` and the `model`.

        `overview` saves a look at the state where the page has one already, `here` is the path of the page, and
        `topics` are what it wants to hear of (`mailweir.web.events.TOPICS`), with commas.
        """
        assert call.caller is not None  # noqa: S101 - a page needs a role
        overview = overview or await self._site.overview()
        self._site.shown(overview)
        frame = self._frame(call.caller, call.csrf, here, overview)
        text = self.renderer.text(
            template, frame=frame, title=title, topics=topics, may=call.may, serves=self.serves, **model
        )
        return Response(text.encode("utf-8", "replace"), status, _headers, media_type=MEDIA)

    def bare(
        self,
        template: str,
        status: int = 200,
        *,
        headers: dict[str, str] | None = None,
        **model: Any,  # noqa: ANN401 - as above
    ) -> Response:
        """A page for who is not signed in: it has no frame. Its template is given `status` and the `model`."""
        text = self.renderer.text(template, status=status, **model)
        return Response(text.encode("utf-8", "replace"), status, {**_headers, **(headers or {})}, media_type=MEDIA)

    def part(self, data: bytes, media: str, policy: str, name: str = "") -> Response:
        """Something of others under a policy of its own; with a `name` it is a file to be kept and never shown."""
        headers = {**_headers, "Content-Security-Policy": policy, "X-DNS-Prefetch-Control": "off"}
        if name:
            # RFC 6266: a name in ASCII, and for those who read it the whole one.
            plain = "".join(one if one.isascii() and (one.isalnum() or one in "._- ") else "_" for one in name)
            headers["Content-Disposition"] = (
                f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
            )
        return Response(data, 200, headers, media_type=media)

    def to(self, path: str) -> Response:
        """What a form that did something answers: look there (POST, redirect, GET)."""
        return Response(status_code=303, headers={**_headers, "Location": path})

    def refusal(self, error: RefusedError, refused: Refused) -> Response:
        """A refusal in the frame, or the page to sign in."""
        model = {
            "title": HTTPStatus(error.status).phrase,
            "detail": error.detail,
            "request": refused.trace,
        }
        if refused.caller is None:
            again = refused.path if refused.elsewhere and error.status == 401 else ""
            return self.bare("sign_in.html", error.status, headers=error.headers, again=again, **model)
        csrf = "" if not refused.cookie or self._site.seal is None else self._site.seal.csrf(refused.cookie)
        frame = self._frame(refused.caller, csrf, refused.path, None)
        text = self.renderer.text(
            "refused.html", frame=frame, topics="", may=refused.caller.may, status=error.status, **model
        )
        headers = {**_headers, **error.headers}
        return Response(text.encode("utf-8", "replace"), error.status, headers, media_type=MEDIA)

    def banner(self) -> Banner:
        """Where mail of the configuration that is served goes."""
        served = self._site.config
        if self._banner is None or self._banner[0] is not served:
            systems = Systems(served.loaded)
            try:
                names = mail_systems(served.pipes.values())
                found = {name: destination(served.loaded, systems, name) for name in names}
            finally:
                systems.datasets.close()
            self._banner = (served, banner_of(found))
        return self._banner[1]

    def _frame(self, caller: Caller, csrf: str, here: str, overview: Overview | None) -> Frame:
        served = self._site.config
        # Who is let see some pipes only is told nothing of all.
        counts = {} if overview is None or caller.pipes is not None else counts_of(overview)
        return Frame(
            self.banner(),
            goals_of(self._site.routes, caller, counts),
            nearest(here),
            served.loaded.profile,
            served.hash,
            served.at,
            "" if caller.pipes is not None else self._site.service.problem,
            caller.name,
            csrf,
            self._site.clock.wall(),
        )
