"""Who may change what is served: the bearer of the admin token, or a program of this machine."""

from ipaddress import ip_address
from typing import Final

from starlette.requests import Request

from wyoming_stt.front.http.errors import ErrorCode, HttpError
from wyoming_stt.front.http.middleware.origin import OriginRules
from wyoming_stt.front.http.middleware.token import same_token, shown_token
from wyoming_stt.front.http.options import HttpOptions
from wyoming_stt.front.http.state import Door

__all__ = ["owner_only"]

_FORWARDED: Final = ("forwarded", "x-forwarded-for", "x-real-ip")
"""What proxies add: a request through one on this machine may have come from anywhere."""
_OWN_PAGES: Final = OriginRules(HttpOptions())


async def owner_only(request: Request, door: Door) -> None:
    """Let the owner pass: a dependency of routes.

    Raises:
        HttpError: it is somebody else.
    """
    if door.admin_token is not None and same_token(shown_token(request.scope), door.admin_token):
        return
    if not _is_from_here(request):
        raise HttpError(
            ErrorCode.ADMIN_ONLY,
            "only programs of the server's own machine may do that, or who sends the token of the "
            "setting http.admin_token as Authorization: Bearer TOKEN",
        )


def _is_from_here(request: Request) -> bool:
    """Tell whether a program of this machine asks, and not a web page that somebody opened on it.

    A page that may transcribe (`allow_origin`) is not one that may administer.
    """
    if any(name in request.headers for name in _FORWARDED):
        return False
    origin = request.headers.get("origin")
    if origin is not None and not _OWN_PAGES.allows(origin):
        return False
    try:
        return request.client is not None and ip_address(request.client.host).is_loopback
    except ValueError:
        return False
