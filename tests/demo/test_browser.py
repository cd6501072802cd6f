"""The page in a real Chromium: what a visitor sees and does."""

import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_core_python.selenium import Axe
from PIL import Image
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from tests.demo.conftest import PANDAS_WARNINGS

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
DRIVER = shutil.which("chromedriver")
SIZES = {"phone": (390, 844), "desktop": (1440, 900)}
FLAGS = (
    "headless",
    "no-sandbox",  # there is none for root
    "disable-gpu",
    "disable-quic",
    "no-first-run",
    "disable-background-networking",
    "disable-component-update",
    "disable-sync",
    "window-size=1360,1060",
)
PATIENCE = 30

pytestmark = [
    pytest.mark.skipif(
        CHROMIUM is None or DRIVER is None, reason="needs chromium and chromium-driver"
    ),
    *PANDAS_WARNINGS,
]


class Page:
    """What the tests do in the browser."""

    def __init__(self, browser: webdriver.Chrome) -> None:
        self.browser = browser

    def wait(self, condition: str, *arguments: object) -> object:
        """Until a JavaScript expression is truthy; its value."""
        script = f"return ({condition})"
        return WebDriverWait(self.browser, PATIENCE, poll_frequency=0.1).until(
            lambda browser: browser.execute_script(script, *arguments)
        )

    def picture(self, label: str, other_than: str | None = None) -> str:
        """The address of an output's picture, once there is one (another one)."""
        condition = (
            "[...document.querySelectorAll('.picture img')].filter(i => i.alt === arguments[0] &&"
            " i.complete && i.naturalWidth && i.src !== arguments[1]).map(i => i.src)[0]"
        )
        return str(self.wait(condition, label, other_than))

    def slider(self, label: str) -> WebElement:
        """The range input of that label."""
        found = self.wait(
            "[...document.querySelectorAll('input[type=range]')].find("
            "i => i.offsetParent && i.ariaLabel?.endsWith(arguments[0]))",
            label,
        )
        assert isinstance(found, WebElement)
        return found

    def click(self, label: str, selector: str) -> None:
        found = self.wait(
            f"[...document.querySelectorAll('{selector}')].find("
            "e => e.offsetParent && [e.textContent.trim(), e.ariaLabel].includes(arguments[0]))",
            label,
        )
        assert isinstance(found, WebElement)
        found.click()

    def unfold(self, label: str) -> None:
        found = self.wait(
            "[...document.querySelectorAll('button.label-wrap')].find("
            "b => b.textContent.includes(arguments[0]))",
            label,
        )
        assert isinstance(found, WebElement)
        found.click()

    def choose(self, model: str) -> None:
        self.browser.find_element(By.CSS_SELECTOR, "input[role=combobox]").click()
        self.click(model, "[role=option]")

    def upload(self, path: Path) -> None:
        self.browser.find_element(By.CSS_SELECTOR, "input[type=file]").send_keys(str(path))


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for flag in (*FLAGS, f"user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    browser = webdriver.Chrome(options=options, service=Service(DRIVER))
    yield browser
    browser.quit()


@pytest.fixture
def page(browser: webdriver.Chrome, address: str) -> Iterator[Page]:
    """The page just opened, its first example shown; no errors on the console at the end."""
    browser.get("about:blank")
    browser.get_log("browser")
    browser.get_log("performance")
    browser.get(address)
    page = Page(browser)
    page.picture("Edited")
    yield page
    logged = browser.get_log("browser")
    assert [entry for entry in logged if entry["level"] == "SEVERE"] == []


def requested(browser: webdriver.Chrome) -> list[str]:
    """Addresses of the requests since the last look."""
    messages = [json.loads(e["message"])["message"] for e in browser.get_log("performance")]
    return [
        message["params"]["request"]["url"]
        for message in messages
        if message["method"] == "Network.requestWillBeSent"
    ]


def test_a_moved_slider_changes_the_picture(page: Page) -> None:
    before = page.picture("Edited")
    smiling = page.slider("Smiling")
    smiling.send_keys(Keys.END)  # as by the keyboard: no mouse
    after = page.picture("Edited", other_than=before)
    assert float(str(smiling.get_attribute("value"))) == 1.0
    page.click("Reset the edit", "button")
    page.picture("Edited", other_than=after)


def test_everything_is_served_from_here(page: Page, address: str) -> None:
    for tab in ("Interpolate", "Swap attributes", "About the model"):
        page.click(tab, "button[role=tab]")
    page.wait("document.body.innerText.includes('The card of tiny')")
    addresses = requested(page.browser)
    assert any(url.startswith(address) for url in addresses)
    assert {u for u in addresses if not u.startswith((address, "data:", "blob:"))} == set()


def test_an_upload_is_read_and_reconstructed(
    page: Page, tmp_path: Path, picture: Image.Image
) -> None:
    page.unfold("More")
    before = {label: page.picture(label) for label in ("Original", "Reconstruction", "Edited")}
    picture.save(tmp_path / "me.jpg")
    page.upload(tmp_path / "me.jpg")
    for label, address in before.items():
        page.picture(label, other_than=address)


def test_after_a_bad_upload_the_last_picture_stays(
    page: Page, tmp_path: Path, picture: Image.Image
) -> None:
    picture.save(tmp_path / "me.png")
    before = page.picture("Edited")
    page.upload(tmp_path / "me.png")
    before = page.picture("Edited", other_than=before)
    (tmp_path / "bad.png").write_text("no picture")
    page.upload(tmp_path / "bad.png")
    page.wait("document.body.innerText.includes('bad.png is not a picture that can be read')")
    kept = "[...document.images].some(i => i.alt === 'Your picture' && i.src.includes('restored'))"
    page.wait(kept)
    page.picture("Edited", other_than=before)
    page.browser.find_elements(By.CSS_SELECTOR, ".examples button.thumbnail-item")[1].click()
    page.wait(f"!{kept}")
    page.picture("Edited")


def test_a_group_is_chosen_and_sliders_exaggerate(page: Page) -> None:
    before = page.picture("Edited")
    page.click("Blond hair", "label")
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
    page.slider("Male").send_keys(Keys.END)
    page.picture("Edited", other_than=present)


def test_a_choice_under_the_mouse_is_still_seen(page: Page) -> None:
    edited = page.picture("Edited")
    page.click("Blond hair", "label")
    page.picture("Edited", other_than=edited)
    page.slider("Smiling").send_keys(Keys.HOME)  # takes the focus, the mouse stays
    page.wait("document.querySelector('input[type=radio]:checked:hover:not(:focus)')")
    colours = "[...document.querySelectorAll('input[type=radio]:checked')].map("
    colours += "i => getComputedStyle(i).backgroundColor)"
    assert page.wait(f"new Set({colours}).size") == 1


def test_an_example_is_picked(page: Page) -> None:
    before = page.picture("Original")
    page.browser.find_elements(By.CSS_SELECTOR, ".examples button.thumbnail-item")[1].click()
    page.picture("Original", other_than=before)


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
    page.click("Interpolate", "button[role=tab]")
    count = "[...document.querySelectorAll('.way img')].filter(i => i.naturalWidth).length"
    page.wait(f"{count} === 8")
    page.slider("Pictures").send_keys(Keys.HOME)
    page.wait(f"{count} === 3")
    page.click("Swap attributes", "button[role=tab]")
    first = page.picture("First, with the second's attributes")
    assert page.picture("Second, with the first's attributes") != first


def test_another_model_brings_its_controls_and_examples(page: Page, model_names: list[str]) -> None:
    before = page.picture("Original")
    page.choose(model_names[1])
    page.picture("Original", other_than=before)
    page.wait("document.body.innerText.includes('The model reads: ')")
    drawn = page.picture("Edited", other_than=before)
    page.click("2", "label")
    page.picture("Edited", other_than=drawn)
    page.click("About the model", "button[role=tab]")
    page.wait("document.body.innerText.includes('The card of digits')")


def test_the_keyboard_reaches_what_can_be_changed(page: Page) -> None:
    missing = {"Smiling", "Reset the edit", "Interpolate", "Thumbnail 1", "Blond hair"}
    for _ in range(60):
        page.browser.switch_to.active_element.send_keys(Keys.TAB)
        name = page.browser.switch_to.active_element.accessible_name
        missing = {expected for expected in missing if expected not in name}
        if not missing:
            break
    assert missing == set()


def test_a_slider_in_motion_does_not_flood_the_queue(page: Page) -> None:
    page.browser.get_log("performance")
    before = page.picture("Edited")
    page.browser.execute_script(
        "for (let i = 1; i <= 50; i++) { arguments[0].value = i / 50;"
        " arguments[0].dispatchEvent(new Event('input', {bubbles: true})); }",
        page.slider("Male"),
    )
    page.picture("Edited", other_than=before)
    time.sleep(1.0)  # what is still on its way
    joins = [url for url in requested(page.browser) if "queue/join" in url]
    assert 2 <= len(joins) <= 4  # an edit or two, each of which is remembered


def test_the_whole_photo_is_edited(page: Page, tmp_path: Path, picture: Image.Image) -> None:
    before = page.picture("Edited")
    picture.save(tmp_path / "me.png")
    page.upload(tmp_path / "me.png")
    square = page.picture("Edited", other_than=before)
    page.unfold("More")
    page.click("the whole photo", "label")
    whole = page.picture("Edited", other_than=square)
    size = "[i.naturalWidth, i.naturalHeight]"
    condition = f"[...document.images].filter(i => i.src === arguments[0]).map(i => {size})[0]"
    assert page.wait(condition, whole) == list(picture.size)


@pytest.fixture(params=SIZES)
def sized(page: Page, request: pytest.FixtureRequest) -> Iterator[Page]:
    """The page at the size of a phone, and of a desktop's window."""
    width, height = SIZES[request.param]
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
    page.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    yield page
    page.browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_the_result_stays_in_sight_and_nothing_is_cut_off(sized: Page) -> None:
    before = sized.picture("Edited")
    sized.browser.execute_script(
        "arguments[0].scrollIntoView({block: 'end'})", sized.slider("Male")
    )
    box = "document.querySelector('.results').getBoundingClientRect()"
    sized.wait(f"{box}.top >= 0 && {box}.top < innerHeight / 2")
    sized.slider("Male").send_keys(Keys.END)
    sized.picture("Edited", other_than=before)
    assert sized.wait("document.documentElement.scrollWidth <= innerWidth")


def test_accessibility(sized: Page) -> None:
    sized.picture("Edited")
    sized.unfold("More")
    for tab in ("Edit", "Interpolate"):
        sized.click(tab, "button[role=tab]")
        time.sleep(0.5)  # colours fade in
        found = Axe().run(sized.browser)["violations"]
        grave = {
            problem["id"]: [node["html"][:120] for node in problem["nodes"]]
            for problem in found
            if problem["impact"] in {"critical", "serious"}
        }
        # Gradio's placeholder for a picture that isn't there yet has a name without a role.
        grave.pop("aria-allowed-attr", None)
        assert grave == {}


def test_before_and_after(page: Page) -> None:
    page.picture("Original")
    slide = page.browser.find_element(By.CSS_SELECTOR, ".slide input")
    assert slide.accessible_name.startswith("Before")
    clip = "getComputedStyle(document.querySelectorAll('.compare > .picture')[1]).clipPath"
    hidden = page.wait(clip)
    slide.send_keys(Keys.END)
    assert page.wait(clip) != hidden


def test_undo_and_a_link_that_holds_the_settings(page: Page, address: str) -> None:
    first = page.picture("Edited")
    page.slider("Smiling").send_keys(Keys.END)
    smiling = page.picture("Edited", other_than=first)
    page.click("Blond hair", "label")
    blond = page.picture("Edited", other_than=smiling)
    page.click("Copy link", "button")
    page.wait("location.search.includes('Smiling=1') && location.search.includes('Blond_Hair')")
    link = str(page.wait("location.href"))
    page.click("Undo", "button")
    page.wait("!document.querySelector('input[value=\"=Blond_Hair\"]').checked")
    page.picture("Edited", other_than=blond)
    assert page.slider("Smiling").get_attribute("value") == "1"
    page.click("Undo", "button")
    page.wait("[...document.querySelectorAll('input[type=range]')].every(i => i.value !== '1'"
              " || !i.ariaLabel?.endsWith('Smiling'))")  # fmt: skip
    page.browser.get("about:blank")
    page.browser.get_log("browser")  # what was on its way is cut off
    page.browser.get(link)
    page.picture("Edited")
    page.wait("document.querySelector('input[value=\"=Blond_Hair\"]').checked")
    assert page.slider("Smiling").get_attribute("value") == "1"


def test_the_result_is_downloaded_in_the_photos_name_and_format(
    page: Page, tmp_path: Path, picture: Image.Image
) -> None:
    page.browser.execute_cdp_cmd(
        "Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path / "in")}
    )
    before = page.picture("Edited")
    picture.resize((1300, 1100)).save(tmp_path / "Me and you.jpg")
    page.upload(tmp_path / "Me and you.jpg")
    edited = page.picture("Edited", other_than=before)
    page.unfold("More")
    page.click("the whole photo", "label")
    page.picture("Edited", other_than=edited)
    page.click("Download full size", "button")
    saved = tmp_path / "in" / "Me and you-edited.jpg"
    end = time.monotonic() + PATIENCE
    while not saved.exists() and time.monotonic() < end:
        time.sleep(0.1)
    with Image.open(saved) as whole:
        assert (whole.format, whole.size) == ("JPEG", (1300, 1100)), "more than is kept"
