import kubernetes_validate
import pytest
import yaml

from tests.support.deployment import FOLDER, LISTENS, is_a_command, settings_of

MANIFEST = list(yaml.safe_load_all((FOLDER / "kubernetes.yaml").read_text()))
DEPLOYMENT, SERVICE = MANIFEST
POD = DEPLOYMENT["spec"]["template"]["spec"]
CONTAINER = POD["containers"][0]
SETTINGS = settings_of({variable["name"]: variable["value"] for variable in CONTAINER["env"]})


@pytest.mark.parametrize("resource", MANIFEST, ids=lambda resource: resource["kind"])
def test_is_what_the_cluster_takes(resource: dict) -> None:
    kubernetes_validate.validate(resource, kubernetes_validate.latest_version(), strict=True)


def test_it_listens_where_the_service_looks() -> None:
    (port,) = CONTAINER["ports"]
    assert SETTINGS.wyoming.uri == LISTENS == f"tcp://0.0.0.0:{port['containerPort']}"
    assert SERVICE["spec"]["ports"][0]["targetPort"] == port["name"]
    labels = DEPLOYMENT["spec"]["template"]["metadata"]["labels"]
    assert SERVICE["spec"]["selector"].items() <= labels.items()
    assert DEPLOYMENT["spec"]["selector"]["matchLabels"].items() <= labels.items()


def test_it_is_asked_for_health() -> None:
    assert is_a_command(CONTAINER["command"])
    for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
        probe = CONTAINER[kind]
        assert probe["exec"]["command"] == ["wyoming-stt", "health"]
        # The command itself gives up after 5 s and says why; the cluster's own default is 1 s.
        assert probe["timeoutSeconds"] > 5


def test_it_waits_for_open_utterances() -> None:
    sleep, sleep_s = CONTAINER["lifecycle"]["preStop"]["exec"]["command"]
    assert sleep == "sleep"
    assert POD["terminationGracePeriodSeconds"] > int(sleep_s) + SETTINGS.wyoming.drain_s


def test_variables_of_the_cluster_are_not_taken_for_settings() -> None:
    assert POD["enableServiceLinks"] is False


def test_it_runs_with_nothing_to_spare() -> None:
    assert POD["securityContext"]["runAsNonRoot"] is True
    assert POD["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert POD["automountServiceAccountToken"] is False
    assert CONTAINER["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert CONTAINER["resources"]["limits"]["memory"]


def test_what_is_mounted_is_there() -> None:
    mounts = {mount["name"]: mount["mountPath"] for mount in CONTAINER["volumeMounts"]}
    assert mounts.keys() == {volume["name"] for volume in POD["volumes"]}
    assert str(SETTINGS.data_dir) == mounts["data"]
