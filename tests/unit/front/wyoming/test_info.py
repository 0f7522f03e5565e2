import pytest
from wyoming.info import Info

import wyoming_stt
from wyoming_stt.front.served import ServedModel
from wyoming_stt.front.wyoming.info import describe
from wyoming_stt.front.wyoming.options import WyomingOptions


@pytest.mark.parametrize("external", [True, False])
def test_info_as_a_client_reads_it(external: bool) -> None:
    options = WyomingOptions(requires_external_vad=external)
    sent = describe(ServedModel("small", ("en", "de")), options).event()
    (program,) = Info.from_event(sent).asr
    (model,) = program.models
    assert (program.name, program.version) == ("wyoming-stt", wyoming_stt.__version__)
    assert program.installed
    assert program.supports_transcript_streaming
    assert program.requires_external_vad is external
    assert (model.name, model.languages, model.installed) == ("small", ["en", "de"], True)
