"""Tests routes, access checks and the cache of pages."""

import json

import pytest

from usage_viewer.demo.api.access import ADMIN_KEY, NAMES_ONLY_KEY, USAGE_ONLY_KEY
from usage_viewer.demo.api.refusal import RefusedGroupings
from usage_viewer.demo.api.service import Service
from usage_viewer.demo.world.organization import SyntheticOrganization

BEARER = {"authorization": f"Bearer {ADMIN_KEY}"}
COMPLETIONS = "/organization/usage/completions"


@pytest.fixture
def service(organization: SyntheticOrganization) -> Service:
    return Service(organization, refused=RefusedGroupings.of("api_source", pairs=[("user_id", "project_id")]))


def test_page_with_the_current_minute_is_not_cached(service: Service, now: int) -> None:
    parameters = {"start_time": [str(now - 3600)]}

    def requests(moment: int) -> int:
        status, body = service.respond(COMPLETIONS, parameters, BEARER, moment)
        assert status == 200
        total = sum(row["num_model_requests"] for bucket in json.loads(body)["data"] for row in bucket["results"])
        return int(total)

    assert requests(now) == requests(now + 1) < requests(now + 600)


def test_final_page_does_not_change(service: Service, now: int) -> None:
    parameters = {"start_time": [str(now - 900_000)], "end_time": [str(now - 90_000)], "limit": ["31"]}
    assert service.respond(COMPLETIONS, parameters, BEARER, now) == service.respond(
        COMPLETIONS, parameters, BEARER, now + 5000
    )


@pytest.mark.parametrize("path", ["/organization/usage/nothing", "/models", "/organization", "/organization/", "/"])
def test_unknown_path_is_a_404_in_json(service: Service, now: int, path: str) -> None:
    status, body = service.respond(path, {}, BEARER, now)
    assert status == 404
    assert json.loads(body)["error"]["code"] == "unknown_url"


def test_each_route_requires_its_scope(service: Service, now: int) -> None:
    def status(path: str, key: str) -> int:
        parameters = {"start_time": [str(now - 100)]} if "usage" in path else {}
        return service.respond(path, parameters, {"authorization": f"Bearer {key}"}, now)[0]

    assert status(COMPLETIONS, USAGE_ONLY_KEY) == 200
    assert status("/organization/projects", USAGE_ONLY_KEY) == 403
    assert status(COMPLETIONS, NAMES_ONLY_KEY) == 403
    assert status("/organization/projects", NAMES_ONLY_KEY) == 200


def test_dimension_is_refused_in_all_datasets_and_pair_in_costs(service: Service, now: int) -> None:
    def status(path: str, *group_by: str) -> int:
        return service.respond(path, {"start_time": [str(now - 100)], "group_by": group_by}, BEARER, now)[0]

    assert status(COMPLETIONS, "model", "api_source") == 400
    assert status("/organization/costs", "api_source") == 400
    assert status("/organization/costs", "user_id", "project_id") == 400
    assert status("/organization/costs", "user_id") == 200
    assert status(COMPLETIONS, "user_id", "project_id") == 200
