"""What /openapi.json promises, of every route that there is."""

from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.support.http_door import ANYWHERE, open_door
from wyoming_stt.front.http.errors import ErrorCode
from wyoming_stt.front.http.openapi import documented
from wyoming_stt.front.http.options import HttpOptions
from wyoming_stt.jobs.options import JobsOptions

TOKEN = HttpOptions(uri=ANYWHERE, api_token="correct-horse")  # noqa: S106
WITH_TOKEN = {"Authorization": "Bearer correct-horse"}


async def description(options: HttpOptions | None = None) -> dict[str, Any]:
    async with open_door(options) as door, door.client(headers=WITH_TOKEN) as client:
        answer = await client.get("/openapi.json")
        assert answer.json() == (await client.get("/openapi.json")).json()
    schema: dict[str, Any] = answer.json()
    return schema


def operations(schema: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [(path, one) for path, methods in schema["paths"].items() for one in methods.values()]


async def test_every_error_has_an_example_with_its_code() -> None:
    schema = await description()
    codes = {str(code): code for code in ErrorCode}
    for path, operation in operations(schema):
        for status, response in operation["responses"].items():
            if int(status) < 400:
                continue
            content = response["content"]["application/json"]
            assert "$ref" in content["schema"], path
            for code, example in content["examples"].items():
                assert example["value"]["code"] == code, path
                if status != "422":
                    assert codes[code].status == int(status), path


async def test_every_answer_has_an_example_that_fits_its_schema(tmp_path: Path) -> None:
    door_open = open_door(data_dir=tmp_path, jobs=JobsOptions())
    async with door_open as door, door.client() as client:
        schema = (await client.get("/openapi.json")).json()
    for path, operation in operations(schema):
        for status, response in operation["responses"].items():
            for media_type, content in response.get("content", {}).items():
                if int(status) >= 400 or media_type == "text/event-stream":
                    continue
                assert content["examples"], (path, status, media_type)
                for example in content["examples"].values():
                    expected = {**content.get("schema", {}), "components": schema["components"]}
                    Draft202012Validator(expected).validate(example["value"])
                    if isinstance(example["value"], dict):
                        known = expected.get("anyOf", [expected])
                        names = {name["$ref"].rpartition("/")[2] for name in known}
                        fields = [schema["components"]["schemas"][n]["properties"] for n in names]
                        assert any(example["value"].keys() <= one.keys() for one in fields), path


async def test_every_form_has_an_example() -> None:
    for path, operation in operations(await description()):
        for content in operation.get("requestBody", {}).get("content", {}).values():
            assert content["example"], path


async def test_every_route_says_what_the_middleware_may_answer() -> None:
    for path, operation in operations(await description()):
        expected = {"500"} if path == "/health" else {"403", "429", "500"}
        assert expected <= set(operation["responses"]), path
        assert "401" not in operation["responses"]
        assert operation["description"], path
        assert operation["tags"], path


async def test_fastapis_own_form_of_errors_is_nowhere() -> None:
    schema = await description()
    assert "HTTPValidationError" not in str(schema)
    assert "ErrorBody" in schema["components"]["schemas"]


async def test_a_token_is_described_where_it_is_needed() -> None:
    schema = await description(TOKEN)
    assert schema["components"]["securitySchemes"] == {
        "bearer": {"type": "http", "scheme": "bearer"}
    }
    for path, operation in operations(schema):
        is_open = path in {"/health", "/ready"}
        assert ("401" in operation["responses"]) is not is_open, path
        assert ("security" in operation) is not is_open, path
    assert "securitySchemes" not in (await description())["components"]


@pytest.mark.parametrize("code", ErrorCode)
def test_codes_can_be_documented(code: ErrorCode) -> None:
    (response,) = documented(code).values()
    assert response["description"] == f"`{code}`"


def test_codes_of_one_status_share_it() -> None:
    (response,) = documented(ErrorCode.NOT_FOUND, ErrorCode.MODEL_NOT_FOUND).values()
    assert len(response["content"]["application/json"]["examples"]) == 2
