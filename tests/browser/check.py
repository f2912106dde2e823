"""Checks every page in every look. What a page must do beside that stands with it, in pages.py."""

import os
import pathlib
import sys
import tempfile
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import pages  # noqa: E402
from chromium import Chromium  # noqa: E402

WIDTHS = {"desk": 1280, "phone": 390}
SCHEMES = ("light", "dark")
PAPER = 718  # the width of A4 between usual margins, in CSS pixels

# Parts that are wider than the page, or than the box that shows them.
TOO_WIDE = """(() => {
  const page = document.documentElement;
  if (page.scrollWidth <= page.clientWidth) return [];
  const wide = [...document.body.querySelectorAll("*")]
    .filter((each) => each.getBoundingClientRect().right > page.clientWidth + 1);
  return [`the page is ${page.scrollWidth} wide, not ${page.clientWidth}`,
    ...wide.slice(-3).map((each) => each.outerHTML.slice(0, 100))];
})()"""

# Text that cannot be read on paper, where nothing scrolls.
CUT_OFF = """[...document.body.querySelectorAll("*")]
  .filter((each) => each.checkVisibility() && each.scrollWidth > each.clientWidth + 1
    && getComputedStyle(each).overflowX !== "visible" && each.clientWidth > 0)
  .map((each) => `cut off: ${each.outerHTML.slice(0, 100)}`).slice(0, 3)"""

# Texts with less contrast than 4.5 to 1 (WCAG AA) with what is behind them.
FAINT = """(() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const solid = (colours) => {
    canvas.fillStyle = getComputedStyle(document.documentElement).colorScheme.includes("dark")
      && matchMedia("(prefers-color-scheme: dark)").matches ? "#121212" : "#ffffff";
    canvas.fillRect(0, 0, 1, 1);
    for (const colour of colours) { canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); }
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const light = (rgb) => {
    const [r, g, b] = rgb.map((part) => part / 255)
      .map((part) => part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const found = new Set();
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || !element.checkVisibility()
      || ["SCRIPT", "STYLE", "OPTION"].includes(element.tagName)) continue;
    const behind = [];
    for (let each = element; each; each = each.parentElement)
      behind.unshift(getComputedStyle(each).backgroundColor);
    const [text, back] = [[...behind, getComputedStyle(element).color], behind].map(solid).map(light);
    const ratio = (Math.max(text, back) + 0.05) / (Math.min(text, back) + 0.05);
    if (ratio < 4.5) found.add(`${element.tagName}.${element.className} has a contrast of ${ratio.toFixed(2)}`);
  }
  return [...found].slice(0, 5);
})()"""

# All that the keyboard must reach, in the order of the page.
REACHABLE = """[...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex]")]
  .filter((each) => !each.disabled && each.tabIndex >= 0 && each.checkVisibility())
  .map((each) => { each.dataset.reach ??= Math.random().toString(36); return each.dataset.reach; })"""

FOCUSED = """(() => {
  const each = document.activeElement;
  const style = getComputedStyle(each), box = each.getBoundingClientRect();
  return { reach: each.dataset.reach ?? null, html: each.outerHTML.slice(0, 100),
    scrolls: each !== document.body && each.scrollWidth > each.clientWidth,
    ring: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1,
    seen: box.bottom > 0 && box.top < innerHeight };
})()"""


def complaints(tab, page):
    """What the page wrote to the console, and what it asked the network for."""
    found = [each["exceptionDetails"].get("text", "") for each in tab.seen("Runtime.exceptionThrown")]
    found += [f"console: {each['args']}" for each in tab.seen("Runtime.consoleAPICalled")
              if each["type"] in ("error", "assert", "warning")]
    found += [f"log: {each['entry']['text']}" for each in tab.seen("Log.entryAdded")
              if each["entry"]["level"] in ("error", "warning")]
    asked = [each["request"]["url"] for each in tab.seen("Network.requestWillBeSent")]
    found += [f"asked for {url}" for url in asked if not page.may_ask_for(url)]
    return found


def by_keyboard(tab):
    """What the Tab key does not reach in order, or reaches without showing it."""
    tab.run("document.activeElement.blur(); scrollTo(0, 0); getSelection().removeAllRanges()")
    expected = tab.run(REACHABLE)
    found = []
    for number, reach in enumerate(expected[:60]):
        tab.press("Tab")
        # What scrolls by itself is reached, too: the arrows move it.
        while (focused := tab.run(FOCUSED))["reach"] is None and focused["scrolls"]:
            tab.press("Tab")
        if focused["reach"] != reach:
            return found + [f"stop {number + 1} of the Tab key is {focused['html']}"]
        if not focused["ring"]:
            found.append(f"no focus is seen on {focused['html']}")
        if not focused["seen"]:
            found.append(f"focused out of sight: {focused['html']}")
    return found


def on_paper(tab, page, kept):
    tab.look(PAPER, media="print")
    tab.run("dispatchEvent(new Event('beforeprint'))")
    found = tab.run(TOO_WIDE) + tab.run(CUT_OFF) + tab.run(FAINT)
    found += tab.run("""[...document.querySelectorAll("form, input, button, select")]
      .filter((each) => each.checkVisibility()).map((each) => `printed: ${each.outerHTML.slice(0, 80)}`)""")
    found += tab.run("""[...document.querySelectorAll("details:not([open])")]
      .filter((each) => each.checkVisibility()).map((each) => `not unfolded: ${each.textContent.slice(0, 80)}`)""")
    found += tab.run("""[...document.querySelectorAll('a[href^="http"]')]
      .filter((each) => each.checkVisibility() && !each.textContent.includes(each.getAttribute("href"))
        && !getComputedStyle(each, "::after").content.includes("http"))
      .map((each) => `an address that is not printed: ${each.outerHTML.slice(0, 80)}`)""")
    tab.run("dispatchEvent(new Event('afterprint'))")
    if kept:
        tab.screenshot(kept / f"{page.name}-print.png")
    if not tab.paper(kept and kept / f"{page.name}.pdf").startswith(b"%PDF"):
        found.append("it cannot be printed")
    return found


def check(browser, page, kept):
    """All that is wrong with a page, each with the look in which it is."""
    found = []
    for name, width in WIDTHS.items():
        for scheme in SCHEMES:
            tab = browser.tab()
            tab.look(width, scheme=scheme)
            tab.open(page.url)
            wrong = tab.run(TOO_WIDE) + tab.run(FAINT)
            if kept:
                tab.screenshot(kept / f"{page.name}-{name}-{scheme}.png")
            if scheme == "light":
                wrong += by_keyboard(tab)
                for does in page.does:
                    tab.open(page.url)
                    try:
                        told = does(tab)
                    except RuntimeError as error:
                        told = str(error)
                    wrong += [f"{does.__name__.replace('_', ' ')}: {told}"] if told else []
            wrong += complaints(tab, page)
            tab.close()
            found += [f"{name}, {scheme}: {each}" for each in wrong]
    tab = browser.tab()
    tab.open(page.url)
    found += [f"print: {each}" for each in on_paper(tab, page, kept)]
    tab.close()
    return found


def main():
    kept = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else None
    if kept:
        kept.mkdir(parents=True, exist_ok=True)
    failed = False
    with tempfile.TemporaryDirectory() as work, pages.prepared(pathlib.Path(work)) as all_pages:
        browser = Chromium(os.environ["CHROMIUM"])
        try:
            for page in all_pages:
                try:
                    found = check(browser, page, kept)
                except (RuntimeError, KeyError):
                    found = [traceback.format_exc()]
                print(f"{page.name}: {'ok' if not found else f'{len(found)} mistakes'}")
                for each in found:
                    print(f"  {each}")
                failed |= bool(found)
        finally:
            browser.close()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
