"""The page in a real Chromium, as the tests of what visitors see and do drive it."""

import json
import shutil
from pathlib import Path

from axe_core_python.selenium import Axe
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
DRIVER = shutil.which("chromedriver")
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


def start_browser(profile: Path) -> webdriver.Chrome:
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for flag in (*FLAGS, f"user-data-dir={profile}"):
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return webdriver.Chrome(options=options, service=Service(DRIVER))


class Page:
    """What the tests do in the browser."""

    def __init__(self, browser: webdriver.Chrome, address: str) -> None:
        self.browser = browser
        self.address = address

    def open(self, words: str = "") -> None:
        """Load the page, until its first picture is edited."""
        self.browser.get("about:blank")
        self.browser.get_log("browser")  # what was on its way is cut off
        self.browser.get_log("performance")
        self.browser.get(f"{self.address}{words}")
        self.picture("Edited")

    def wait(self, condition: str, *arguments: object) -> object:
        """Until a JavaScript expression is truthy; its value."""
        script = f"return ({condition})"
        return WebDriverWait(self.browser, PATIENCE, poll_frequency=0.05).until(
            lambda browser: browser.execute_script(script, *arguments)
        )

    def find(self, condition: str, *arguments: object) -> WebElement:
        found = self.wait(condition, *arguments)
        assert isinstance(found, WebElement)
        return found

    def ask(self, expression: str) -> object:
        """A JavaScript expression's value."""
        return self.browser.execute_script(f"return ({expression})")

    def picture(self, label: str, other_than: str | None = None) -> str:
        """The address of an output's picture, once there is one (another one)."""
        condition = (
            "[...document.querySelectorAll('.picture img')].filter(i => i.alt === arguments[0] &&"
            " i.complete && i.naturalWidth && i.src !== arguments[1]).map(i => i.src)[0]"
        )
        return str(self.wait(condition, label, other_than))

    def slider(self, label: str) -> WebElement:
        """The range input of that label."""
        return self.find(
            "[...document.querySelectorAll('input[type=range]')].find("
            "i => i.offsetParent && i.ariaLabel?.endsWith(arguments[0]))",
            label,
        )

    def click(self, label: str, selector: str) -> None:
        self.find(
            f"[...document.querySelectorAll('{selector}')].find("
            "e => e.offsetParent && [e.textContent.trim(), e.ariaLabel].includes(arguments[0]))",
            label,
        ).click()

    def unfold(self, label: str) -> None:
        """Open an accordion, unless it is open."""
        fold = self.find(
            "[...document.querySelectorAll('button.label-wrap')].find("
            "b => b.firstElementChild.textContent.trim() === arguments[0])",
            label,
        )
        if "open" not in str(fold.get_attribute("class")).split():
            fold.click()

    def choose(self, model: str) -> None:
        self.browser.find_element(By.CSS_SELECTOR, "input[role=combobox]").click()
        self.click(model, "[role=option]")

    def upload(self, path: Path) -> None:
        self.browser.find_element(By.CSS_SELECTOR, "input[type=file]").send_keys(str(path))

    def pick_example(self, number: int) -> None:
        examples = self.browser.find_elements(By.CSS_SELECTOR, ".examples button.thumbnail-item")
        examples[number].click()

    def resize(self, width: int, height: int) -> None:
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def grave_problems(self) -> dict[str, list[str]]:
        """What axe finds on the page as it is, once no colour fades any more."""
        self.wait(
            "document.getAnimations().every(a => a.playState !== 'running' ||"
            " a.effect.getComputedTiming().endTime === Infinity)"
        )
        found = {
            problem["id"]: [node["html"][:120] for node in problem["nodes"]]
            for problem in Axe().run(self.browser)["violations"]
            if problem["impact"] in {"critical", "serious"}
        }
        # Gradio's placeholder for a picture that isn't there yet has a name without a role.
        found.pop("aria-allowed-attr", None)
        return found

    def requested(self) -> list[str]:
        """Addresses of the requests since the last look."""
        logged = self.browser.get_log("performance")
        messages = [json.loads(entry["message"])["message"] for entry in logged]
        return [
            message["params"]["request"]["url"]
            for message in messages
            if message["method"] == "Network.requestWillBeSent"
        ]

    def check(self) -> None:
        """No errors on the console, and no keys of words that Gradio has not."""
        logged = self.browser.get_log("browser")
        assert [entry for entry in logged if entry["level"] == "SEVERE"] == []
        assert self.ask("document.body.textContent.match(/\\bcommon\\.\\w+/)") is None
