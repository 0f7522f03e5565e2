"""`/openapi.json`, and `/docs`: Swagger UI from the package, since homes keep machines offline."""

from importlib.resources import files
from typing import Final

from fastapi import APIRouter, Request
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse, JSONResponse, Response

from wyoming_stt.front.http.errors import ErrorCode, HttpError

__all__ = ["asset", "description", "page", "router"]

router: Final = APIRouter(include_in_schema=False)

_FOLDER: Final = files("fastapi_swagger") / "resources"
_ASSETS: Final = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "favicon-32x32.png": "image/png",
}


@router.get("/openapi.json")
async def description(request: Request) -> JSONResponse:
    """Describe all routes for programs."""
    return JSONResponse(request.app.openapi())


@router.get("/docs")
async def page() -> HTMLResponse:
    """Show the routes, to be tried out. All addresses are relative: a proxy may add a prefix."""
    return get_swagger_ui_html(
        openapi_url="openapi.json",
        title="wyoming-stt",
        swagger_js_url="docs/swagger-ui-bundle.js",
        swagger_css_url="docs/swagger-ui.css",
        swagger_favicon_url="docs/favicon-32x32.png",
    )


@router.get("/docs/{name}")
def asset(name: str) -> Response:
    """Give the page its script and its style."""
    if name not in _ASSETS:
        raise HttpError(ErrorCode.NOT_FOUND)
    return Response((_FOLDER / name).read_bytes(), media_type=_ASSETS[name])
