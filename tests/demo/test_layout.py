"""What lies where on the page, at the size of a phone and of a desktop's window."""

from collections.abc import Iterator

import pytest
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from tests.demo.browsing import Page
from tests.demo.conftest import PANDAS_WARNINGS

SIZES = {"phone": (390, 844), "desktop": (1440, 900)}
TABS = ["Edit", "Blend two photos", "Trade features", "About"]

pytestmark = PANDAS_WARNINGS

ON_TOP = """[...document.querySelectorAll("img[alt='Edited']")].map(i => {
  const {left, top, width, height} = i.getBoundingClientRect();
  const found = document.elementFromPoint(left + width / 2, top + height / 2);
  return top >= 0 && found?.closest('.compare > .picture') !== null;
})[0]"""

SMALL = """[...document.querySelectorAll(
  'button, a[href], label:has(> input), input[type=range], .wrap-inner'
)].filter(e => e.checkVisibility({visibilityProperty: true})).map(e => {
  const {width, height} = e.getBoundingClientRect();
  const name = e.ariaLabel || e.textContent.trim() || e.role;
  return [Math.min(width, height), `${name}: ${width}x${height}`];
}).filter(([least]) => least > 0 && least < 44).map(([_, text]) => text)"""


@pytest.fixture(scope="module", params=SIZES)
def opened(
    browser: webdriver.Chrome, address: str, request: pytest.FixtureRequest
) -> Iterator[Page]:
    page = Page(browser, address)
    page.resize(*SIZES[request.param])
    page.open()
    page.unfold("More")
    yield page
    page.browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@pytest.fixture
def page(opened: Page) -> Iterator[Page]:
    """The page of one size as the test before left it, at its top."""
    opened.click("Edit", "button[role=tab]")
    opened.ask("window.scrollTo(0, 0)")
    yield opened
    opened.check()


def test_nothing_lies_over_the_face_however_far_the_page_is_scrolled(page: Page) -> None:
    page.click("Blond", "label")  # which brings its slider
    page.wait(ON_TOP)
    end = int(str(page.ask("document.documentElement.scrollHeight - innerHeight")))
    assert end > 100
    seen = {}
    for y in range(0, end + 1, 50):
        page.ask(f"window.scrollTo(0, {y})")
        seen[y] = page.ask(ON_TOP)
    assert [y for y, is_on_top in seen.items() if not is_on_top] == []
    before = page.picture("Edited")
    page.slider("Masculine").send_keys(Keys.END)
    page.picture("Edited", other_than=before)
    assert page.ask(ON_TOP)
    assert page.ask("document.documentElement.scrollWidth <= innerWidth")


def test_the_result_takes_two_fifths_of_a_phone(page: Page) -> None:
    share = "document.querySelector('.results').getBoundingClientRect().height / innerHeight"
    most = 0.4 if page.ask("innerWidth") == 390 else 0.6
    assert 0.25 < float(str(page.ask(share))) <= most


def test_the_controls_begin_on_the_first_screen(page: Page) -> None:
    first = "document.querySelector('.controls label').getBoundingClientRect().bottom"
    assert page.ask(f"{first} <= innerHeight")


def test_tabs_are_seen_and_named_in_peoples_words(page: Page) -> None:
    tabs = "[...document.querySelectorAll('button[role=tab]')].filter(e => e.offsetParent)"
    assert page.ask(f"{tabs}.map(e => e.textContent.trim())") == TABS
    row = f"new Set({tabs}.map(e => e.getBoundingClientRect().top)).size"
    assert page.ask(row) == 1
    assert page.ask(f"{tabs}.every(e => e.getBoundingClientRect().right <= innerWidth)")


def test_no_figure_judges_a_person(page: Page) -> None:
    figures = "[...document.querySelectorAll('.controls input[type=number]')]"
    assert page.ask(f"{figures}.filter(e => e.checkVisibility()).length") == 0
    assert page.ask("document.querySelector('.controls').innerText.match(/\\d\\.\\d/)") is None


@pytest.mark.parametrize("tab", TABS)
def test_anyone_can_use_every_tab(page: Page, tab: str) -> None:
    page.click(tab, "button[role=tab]")
    assert page.grave_problems() == {}
    if page.ask("innerWidth") == 390:
        assert page.ask(SMALL) == []
        page.ask("document.body.classList.add('dark')")
        assert page.grave_problems() == {}, "by night"
        page.ask("document.body.classList.remove('dark')")


def test_the_keyboard_reaches_what_can_be_changed(page: Page) -> None:
    page.ask("(window.reached = [], document.addEventListener('focusin',"
             " e => reached.push(e.target)), document.activeElement.blur())")  # fmt: skip
    keys = ActionChains(page.browser, duration=0)
    for _ in range(60):
        keys.send_keys(Keys.TAB)
    keys.perform()
    names = [e.accessible_name for e in page.browser.execute_script("return [...new Set(reached)]")]
    for expected in ("Smiling", "Reset", "Blend two photos", "Thumbnail 1", "Blond"):
        assert any(expected in name for name in names), expected
