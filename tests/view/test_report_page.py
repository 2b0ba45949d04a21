"""The report's page as a browser shows and prints it."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from drctl.commands import report as command
from drctl.view.html.page import page
from tests.runbook.evidence import RUN, SIMULATED, Drill, altered
from tests.view.chromium import Chromium

DRAWN = """(() => {
  const canvas = document.querySelector("#chart canvas");
  const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d", {willReadFrequently: true});
  copy.drawImage(canvas, 0, 0);
  const {data} = copy.getImageData(0, 0, canvas.width, canvas.height);
  const found = {};
  for (let i = 0; i < data.length; i += 4) {
    if (data[i + 3] === 255) {
      const colour = `${data[i]},${data[i + 1]},${data[i + 2]}`;
      found[colour] = (found[colour] || 0) + 1;
    }
  }
  return found;
})()"""
"""Colour -> how many opaque pixels of the chart have it."""

COLOURS = {
    "light": {"primary": "70,104,176", "standby": "43,156,140", "failed": "201,67,59"},
    "dark": {"primary": "127,159,224", "standby": "79,192,174", "failed": "229,100,91"},
}


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    """One for all tests of this file."""
    with Chromium(tmp_path_factory.mktemp("chromium")) as browser:
        yield browser


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a simulated drill that passed, beside an earlier one."""
    folder = tmp_path_factory.mktemp("runs")
    Drill(run="20260211T100000Z-drill", writes=251, began=1_770_804_000.0).write(
        folder / "20260211T100000Z-drill.jsonl"
    )
    path = Drill(simulated=SIMULATED).write(folder / f"{RUN}.jsonl")
    return command.write(command.of(path), folder / "report")[1]


@pytest.fixture(autouse=True)
def nothing_goes_wrong(browser: Chromium) -> Iterator[None]:
    """No error in the console; nothing but the file itself is ever asked for."""
    browser.troubles.clear()
    browser.requests.clear()
    yield
    assert browser.troubles == []
    assert [url for url in browser.requests if not url.startswith(("file:", "data:", "about:"))] == []
    assert len(set(browser.requests)) <= 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_verdict_chart_and_tables_fit_any_screen(
    browser: Chromium, shown: Path, width: int, scheme: str
) -> None:
    browser.open(shown, width, scheme)
    verdict = browser.evaluate("document.getElementById('verdict').innerText")
    assert "Recovered in 1 min 52 s; objective 15 min: met." in verdict
    assert "not on AWS" in browser.evaluate("document.getElementById('simulated').innerText")
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    drawn = browser.evaluate(DRAWN)
    for what, colour in COLOURS[scheme].items():
        assert drawn.get(colour, 0) > 1000, what
    rows = "Object.fromEntries([...document.querySelectorAll('section[id]')]"
    rows += ".map(s => [s.id, s.querySelectorAll('tbody tr').length]))"
    counted = browser.evaluate(rows)
    assert {name: counted[name] for name in ("phases", "rto", "rpo", "availability", "steps")} == {
        "phases": 6,
        "rto": 4,
        "rpo": 3,
        "availability": 4,
        "steps": 11,
    }
    assert counted["checks"] >= 27
    assert counted["calls"] == 12
    assert counted["deviations"] == counted["faults"] == 1
    assert counted["comparison"] > 10


def test_words_of_the_journal_are_never_markup(browser: Chromium, shown: Path) -> None:
    browser.open(shown, 1280)
    checks = browser.evaluate("document.getElementById('checks').textContent")
    assert '<clean> & "whole"' in checks
    assert "</script><script>alert(1)</script>" in checks
    assert browser.evaluate("document.scripts.length") == 3


def test_nothing_in_it_is_to_be_loaded(shown: Path) -> None:
    text = shown.read_text(encoding="utf-8")
    assert not re.search(r"(src|href|action|data)\s*=\s*[\"']?\s*(https?:)?//", text)
    assert not re.search(r"url\(|@import|<link|<img|<iframe", text)
    assert "default-src &#39;none&#39;" in text


def test_calls_one_by_one_are_listed_when_asked_for(browser: Chromium, shown: Path) -> None:
    browser.open(shown, 1280)
    listed = "document.querySelectorAll('#each-call tbody tr').length"
    assert browser.evaluate(listed) == 0
    browser.evaluate("""new Promise(done => {
        const list = document.getElementById('each-call');
        list.addEventListener('toggle', done, {once: true});
        list.open = true;
    })""")
    assert browser.evaluate(listed) == 84


def test_the_chart_can_be_zoomed_and_says_what_is_under_the_pointer(browser: Chromium, shown: Path) -> None:
    browser.open(shown, 1280)
    box = browser.evaluate("""(() => {
        const over = document.querySelector('#chart .u-over');
        over.scrollIntoView({block: 'center'});
        const {x, y, width, height} = over.getBoundingClientRect();
        return {x, y, width, height};
    })()""")
    y = box["y"] + box["height"] * 1.5 / 7

    def mouse(kind: str, share: float, buttons: int = 0) -> None:
        where = {"x": box["x"] + box["width"] * share, "y": y}
        button = "none" if kind == "mouseMoved" else "left"
        browser.call(
            "Input.dispatchMouseEvent", type=kind, button=button, buttons=buttons, clickCount=1, **where
        )

    mouse("mouseMoved", 0.2)
    tip = browser.evaluate("document.querySelector('#chart .tip').textContent")
    assert tip.startswith("10:02:") and "Reads, by name: failed" in tip
    before = browser.evaluate(DRAWN)[COLOURS["light"]["failed"]]
    mouse("mouseMoved", 0.15)
    mouse("mousePressed", 0.15, 1)
    mouse("mouseMoved", 0.35, 1)
    mouse("mouseReleased", 0.35)
    browser.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert browser.evaluate(DRAWN)[COLOURS["light"]["failed"]] > 2 * before


def test_it_prints_on_pages_of_a4(browser: Chromium, shown: Path, tmp_path: Path) -> None:
    browser.open(shown, 1280, "dark")
    printed = browser.pdf()
    assert printed.startswith(b"%PDF")
    assert 3 <= len(re.findall(rb"/Type\s*/Page\b", printed)) <= 9
    assert browser.evaluate("document.querySelector('#chart canvas').offsetWidth") > 900, "the screen's again"
    if shutil.which("pdftotext"):
        path = tmp_path / "report.pdf"
        path.write_bytes(printed)
        text = subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True, text=True, check=True)
        for words in ("Recovered in 1 min 52 s", "not on AWS", "Every call to AWS", "Approved by", "1 of "):
            assert words in text.stdout


def test_altered_evidence_is_said_in_the_verdict(browser: Chromium, tmp_path: Path) -> None:
    path = altered(Drill().write(tmp_path / f"{RUN}.jsonl"), 5, detail="nothing happened")
    (tmp_path / "page.html").write_text(page(command.of(path)), encoding="utf-8")
    browser.open(tmp_path / "page.html", 390)
    assert "Evidence altered at entry 5." in browser.evaluate("document.getElementById('verdict').innerText")
    assert browser.evaluate("document.querySelector('#simulated')") is None


def test_a_run_that_hardly_began_has_a_page(browser: Chromium, tmp_path: Path) -> None:
    path = tmp_path / f"{RUN}.jsonl"
    whole = Drill().write(path).read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(whole[:2]))
    (tmp_path / "page.html").write_text(page(command.of(path)), encoding="utf-8")
    browser.open(tmp_path / "page.html", 390)
    assert "Interrupted" in browser.evaluate("document.getElementById('verdict').innerText")
    assert browser.evaluate("document.querySelector('#chart')") is None
