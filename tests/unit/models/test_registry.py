from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.onnx_models import FAMILIES, build, damage
from wyoming_stt.errors import ModelError, ModelFileError, UnknownFamilyError
from wyoming_stt.models.registry import FAKE, families, load_model

NAMES = ["conformer", "fake", "lstm", "offline", "zipformer", "zipformer2"]


def test_families_are_entry_points() -> None:
    assert [family.name for family in families()] == NAMES


def test_one_family_takes_a_folder(built: Callable[[str], Path]) -> None:
    for name in FAMILIES:
        taken = [family.name for family in families() if family.matches(built(name))]
        assert taken == [name if name in NAMES else "offline"]
    assert [family.name for family in families() if family.matches(None)] == [FAKE]


@pytest.mark.parametrize("name", FAMILIES)
def test_a_folder_is_loaded(name: str, built: Callable[[str], Path]) -> None:
    info = load_model(built(name), languages=["de", "en"]).info
    assert (info.name, info.languages) == (name, ("de", "en"))
    assert info.streaming is (name in NAMES)


def test_a_link_is_called_by_what_it_leads_to(tmp_path: Path, built: Callable[[str], Path]) -> None:
    link = tmp_path / "current"
    link.symlink_to(built("lstm"))
    assert load_model(link, languages=["en"]).info.name == "lstm"


def test_the_fake_needs_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / FAKE).mkdir()
    monkeypatch.chdir(tmp_path)
    assert load_model(FAKE, languages=["en"]).info.name == FAKE


def test_no_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="expected a folder with a model, found nothing"):
        load_model(tmp_path / "nowhere", languages=["en"])


def test_an_empty_folder_is_an_error_about_what_it_lacks(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"tokens\.txt: expected a list of tokens"):
        load_model(tmp_path, languages=["en"])


def test_an_unknown_family_is_told_what_is_known(tmp_path: Path) -> None:
    damage.break_model_type(build("zipformer2", tmp_path))
    with pytest.raises(UnknownFamilyError, match=f"known families: {', '.join(NAMES)}") as caught:
        load_model(tmp_path, languages=["en"])
    assert str(tmp_path) in str(caught.value)


@pytest.mark.parametrize("break_it", damage.BREAKS, ids=lambda break_it: break_it.__name__)
@pytest.mark.parametrize("name", ["zipformer2", "offline-zipformer2"])
def test_damage_names_the_folder(
    tmp_path: Path, name: str, break_it: Callable[[Path], None]
) -> None:
    break_it(build(name, tmp_path))
    with pytest.raises(ModelError, match=str(tmp_path)):
        load_model(tmp_path, languages=["en"])
