"""What a visitor does on the page, in a real Chromium."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from tests.demo.browsing import PATIENCE, Page
from tests.demo.conftest import PANDAS_WARNINGS

pytestmark = PANDAS_WARNINGS


@pytest.fixture
def page(browser: webdriver.Chrome, address: str) -> Iterator[Page]:
    """The page just opened, its first example shown."""
    page = Page(browser, address)
    page.open()
    yield page
    page.check()


SPINNERS = """(() => {
  window.spinners = new Set();
  new MutationObserver(changes => changes.forEach(({target}) => {
    if (target.dataset?.testid === 'status-tracker' && !target.classList.contains('hide'))
      window.spinners.add(target.closest('.results') ? 'result' : target.parentElement.className);
  })).observe(document.body, {subtree: true, attributes: true, attributeFilter: ['class']});
})()"""
"""Notes where Gradio shows that it works."""


def test_an_edit_is_undone_linked_and_reset(page: Page, address: str) -> None:
    first, original = page.picture("Edited"), page.picture("Original")
    page.ask(SPINNERS)
    page.slider("Smiling").send_keys(Keys.END)  # as by the keyboard: no mouse
    smiling = page.picture("Edited", other_than=first)
    assert page.picture("Original") == original
    page.click("Blond", "label")
    blond = page.picture("Edited", other_than=smiling)
    page.click("Copy link", "button")
    page.wait("location.search.includes('Smiling=1') && location.search.includes('Blond_Hair')")
    link = str(page.ask("location.search"))
    page.click("Undo", "button")
    page.wait("!document.querySelector('input[value=\"=Blond_Hair\"]').checked")
    undone = page.picture("Edited", other_than=blond)
    assert page.slider("Smiling").get_attribute("value") == "1"
    page.unfold("More")
    page.click("Let sliders go to 2 (exaggerate)", "label")
    exaggerated = page.picture("Edited", other_than=undone)
    page.click("the whole photo", "label")
    page.picture("Edited", other_than=exaggerated)
    slide = page.browser.find_element(By.CSS_SELECTOR, ".slide input")
    assert slide.accessible_name.startswith("Before")
    clip = "getComputedStyle(document.querySelectorAll('.compare > .picture')[1]).clipPath"
    hidden = page.ask(clip)
    slide.send_keys(Keys.END)
    assert page.ask(clip) != hidden
    page.click("Reset", "button")
    page.wait("location.search === ''")
    assert page.ask(clip) == hidden
    assert page.ask("[...document.querySelectorAll('.controls :checked')].map(i => i.value)") == [
        "keep", "generated", "0",
    ]  # fmt: skip
    assert page.slider("Smiling").get_attribute("max") == "1"
    assert page.slider("Smiling").get_attribute("value") != "1"
    assert set(page.ask("[...window.spinners]")) <= {"result"}  # type: ignore[call-overload]
    page.open(link)
    page.wait("document.querySelector('input[value=\"=Blond_Hair\"]').checked")
    assert page.slider("Smiling").get_attribute("value") == "1"


def test_a_link_names_its_model_and_a_bad_one_says_so(page: Page, model_names: list[str]) -> None:
    page.open(f"?model={model_names[1]}&digit=2&Smilling=1&Smiling=<b>much</b>&utm_source=a")
    page.wait("document.querySelector('input[value=\"=2\"]:checked')?.offsetParent")
    said = "This link asks for what can't be done here: Smilling=1, Smiling=<b>much</b>"
    page.wait("[...document.querySelectorAll('.toast-body')].some("
              "t => t.textContent.includes(arguments[0]))", said)  # fmt: skip


def test_uploads_are_read_and_bad_ones_leave_the_last(
    page: Page, tmp_path: Path, picture: Image.Image
) -> None:
    page.unfold("More")
    before = {label: page.picture(label) for label in ("Original", "Reconstruction", "Edited")}
    page.ask(SPINNERS)
    picture.save(tmp_path / "me.jpg")
    page.upload(tmp_path / "me.jpg")
    for label, address in before.items():
        before[label] = page.picture(label, other_than=address)
    assert page.ask("[...window.spinners]") == ["result"]
    (tmp_path / "bad.png").write_text("no picture")
    page.upload(tmp_path / "bad.png")
    page.wait("document.body.innerText.includes('bad.png is not a picture that can be read')")
    kept = "[...document.images].some(i => i.alt === 'Your picture' && i.src.includes('restored'))"
    page.wait(kept)
    page.picture("Edited", other_than=before["Edited"])
    assert page.ask("document.querySelectorAll('.toast-body').length") == 1
    elsewhere = "[...document.querySelectorAll('.error')].filter(e => !e.closest('.toast-body'))"
    assert page.ask(f"{elsewhere}.filter(e => e.checkVisibility()).length") == 0
    original = page.picture("Original")
    page.pick_example(1)
    page.wait(f"!{kept}")
    page.picture("Original", other_than=original)


def test_a_slider_in_motion_does_not_flood_the_queue(page: Page) -> None:
    page.requested()
    before = page.picture("Edited")
    page.browser.execute_script(
        "for (let i = 1; i <= 50; i++) { arguments[0].value = i / 50;"
        " arguments[0].dispatchEvent(new Event('input', {bubbles: true})); }",
        page.slider("Masculine"),
    )
    page.picture("Edited", other_than=before)
    last = "performance.getEntriesByType('resource').filter(e => e.name.includes('queue/')).at(-1)"
    page.wait(f"performance.now() - {last}.responseEnd > 500")  # nothing is on its way any more
    joins = [url for url in page.requested() if "queue/join" in url]
    assert 2 <= len(joins) <= 4  # an edit or two, each of which is remembered


def test_the_whole_photo_is_edited_and_downloaded_in_its_name_and_format(
    page: Page, tmp_path: Path, picture: Image.Image
) -> None:
    page.browser.execute_cdp_cmd(
        "Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path / "in")}
    )
    before = page.picture("Edited")
    picture.resize((1300, 1100)).save(tmp_path / "Me and you.jpg")
    page.upload(tmp_path / "Me and you.jpg")
    page.picture("Edited", other_than=before)
    page.unfold("More")
    page.click("the whole photo", "label")
    # No more than is kept.
    page.wait("[...document.images].some(i => i.alt === 'Edited' && i.naturalWidth === 1024"
              " && i.naturalHeight === 866)")  # fmt: skip
    page.click("Download", ".buttons button")
    saved = tmp_path / "in" / "Me and you-edited.jpg"
    WebDriverWait(page.browser, PATIENCE, poll_frequency=0.05).until(lambda _: saved.exists())
    with Image.open(saved) as downloaded:
        assert (downloaded.format, downloaded.size) == ("JPEG", (1300, 1100))


def test_everything_is_served_from_here(page: Page, address: str) -> None:
    for tab in ("Blend two photos", "Trade features", "About"):
        page.click(tab, "button[role=tab]")
    page.wait("document.body.innerText.includes('The card of tiny')")
    addresses = page.requested()
    assert any(url.startswith(address) for url in addresses)
    assert {u for u in addresses if not u.startswith((address, "data:", "blob:"))} == set()


def test_a_group_is_chosen_and_sliders_exaggerate(page: Page) -> None:
    before = page.picture("Edited")
    page.click("Blond", "label")
    blond = page.picture("Edited", other_than=before)
    page.unfold("More")
    page.click("Let sliders go to 2 (exaggerate)", "label")
    page.wait("[...document.querySelectorAll('input[type=range]')].some(i => i.max === '2')")
    page.slider("Smiling").send_keys(Keys.END)
    exaggerated = page.picture("Edited", other_than=blond)
    assert page.slider("Smiling").get_attribute("value") == "2"
    page.click("Let sliders go to 2 (exaggerate)", "label")
    present = page.picture("Edited", other_than=exaggerated)
    assert page.slider("Smiling").get_attribute("value") == "1"
    page.slider("Masculine").send_keys(Keys.END)
    page.picture("Edited", other_than=present)


def test_a_choice_under_the_mouse_is_still_seen(page: Page) -> None:
    edited = page.picture("Edited")
    page.click("Blond", "label")
    page.picture("Edited", other_than=edited)
    page.slider("Smiling").send_keys(Keys.HOME)  # takes the focus, the mouse stays
    page.wait("document.querySelector('input[type=radio]:checked:hover:not(:focus)')")
    colours = "[...document.querySelectorAll('input[type=radio]:checked')].map("
    colours += "i => getComputedStyle(i).backgroundColor)"
    assert page.wait(f"new Set({colours}).size") == 1


def test_an_own_picture_stays_when_another_model_is_chosen(
    page: Page, model_names: list[str], tmp_path: Path, picture: Image.Image
) -> None:
    before = page.picture("Original")
    picture.save(tmp_path / "me.png")
    page.upload(tmp_path / "me.png")
    page.picture("Original", other_than=before)
    own = page.picture("Your picture")
    edited = page.picture("Edited")
    page.choose(model_names[1])
    page.picture("Edited", other_than=edited)
    assert page.picture("Your picture") == own


def test_a_picture_is_taken_away(page: Page) -> None:
    page.browser.find_element(By.CSS_SELECTOR, "button[aria-label='Remove Image']").click()
    page.wait("document.querySelectorAll('.results img').length === 0")


def test_two_pictures_are_interpolated_and_swapped(page: Page) -> None:
    page.click("Blend two photos", "button[role=tab]")
    count = "[...document.querySelectorAll('.way img')].filter(i => i.naturalWidth).length"
    page.wait(f"{count} === 8")
    page.slider("How many pictures").send_keys(Keys.HOME)
    page.wait(f"{count} === 3")
    page.click("Trade features", "button[role=tab]")
    first = page.picture("First, changed")
    assert page.picture("Second, changed") != first


def test_another_model_brings_its_controls_and_examples(page: Page, model_names: list[str]) -> None:
    before = page.picture("Original")
    page.choose(model_names[1])
    page.picture("Original", other_than=before)
    page.wait("document.querySelector('input[value=\"=2\"]')?.offsetParent")
    drawn = page.picture("Edited", other_than=before)
    page.click("2", "label")
    page.picture("Edited", other_than=drawn)
    page.click("About", "button[role=tab]")
    page.wait("document.body.innerText.includes('The card of digits')")
