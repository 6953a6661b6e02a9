"""The official scripts on every engine: no assertion may fail, and none is left out but those the summary counts."""

from __future__ import annotations

import pytest

from conformance.engines import ENGINES, record
from conformance.own import OwnEmbedder
from conformance.runner import Status, run_script
from conformance.wast.assemble import assemble
from conformance.wast.files import Group, files_of, suite_folder, suite_missing
from conformance.wast.older import cut_back
from conformance.wast.script import parse_script

FOLDER = suite_folder()


@pytest.mark.skipif(FOLDER is None, reason=suite_missing())
@pytest.mark.parametrize("name", files_of(Group.CORE, Group.MIXED, Group.MULTI_MEMORY))
def test_script(name: str, engine: str, pytestconfig: pytest.Config) -> None:
    assert FOLDER is not None
    script = parse_script(cut_back((FOLDER / name).read_bytes().decode(), name), name)
    report = run_script(script, assemble(script), OwnEmbedder(ENGINES[engine]))
    record(pytestconfig, engine, report)
    failures = report.failures()
    assert not failures, "\n".join(failures)
    if not report.ran:
        assert report.counts[Status.OUT_OF_SCOPE] == len(report.outcomes), report.summary()
        pytest.skip("every command is about the text format")
