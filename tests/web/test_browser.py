"""The page in a real headless Chromium, against the real program: typed at, clicked, and checked with axe."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.web import axe
from tests.web.conftest import serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

    from havenfs.config import State

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def address(state: State) -> Iterator[str]:
    """Of a running program over the shared library."""
    with serving(state, "--mount", "/srv/haven") as found:
        yield found


def loaded(page: Page) -> list[str]:
    """Names of the pictures on the wall that have really been decoded."""
    return page.eval_on_selector_all(
        ".wall img", "all => all.filter(i => i.complete && i.naturalWidth > 0).map(i => i.alt)"
    )


def type_query(page: Page, text: str) -> None:
    box = page.get_by_role("searchbox")
    box.click()
    box.press_sequentially(text, delay=10)


def test_typing_a_query_shows_pictures_with_reasons(page: Page) -> None:
    page.goto("/")
    type_query(page, "temple")
    expect(page.get_by_role("status")).to_contain_text("2 results")
    page.wait_for_function(
        "[...document.querySelectorAll('.wall img')].filter(i => i.naturalWidth > 0).length == 2"
    )
    assert {name.split(",")[0] for name in loaded(page)} == {
        "temple.jpg",
        "coffee at the temple.jpg",
    }
    assert all(page.locator(".wall figcaption").all_text_contents())
    expect(page.get_by_text("/srv/haven/search/temple")).to_be_visible()
    assert page.url.endswith("/?q=temple")


def test_the_lightbox_opens_by_keyboard_and_says_why(page: Page) -> None:
    page.goto("/?q=temple")
    first = page.locator("[data-asset]").first
    reason = page.locator(".wall figcaption").first.inner_text()
    first.focus()
    first.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Why it was found")).to_contain_text(reason.split(" · ")[0])
    expect(dialog.get_by_text("/srv/haven/files/family/2019 China", exact=True)).to_be_visible()
    title = dialog.get_by_role("heading", level=2)
    before = title.inner_text()
    page.keyboard.press("ArrowRight")
    expect(title).not_to_have_text(before)
    page.wait_for_function("document.querySelector('.stage img')?.naturalWidth > 256")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    assert page.url.endswith("/?q=temple")


def test_back_forward_and_reload_keep_the_search(page: Page) -> None:
    page.goto("/")
    expect(page.get_by_role("heading", name="Recently added")).to_be_visible()
    type_query(page, "astronaut")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("1 result")
    page.locator("[data-asset]").first.click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.reload()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.get_by_role("searchbox")).to_have_value("astronaut")
    page.go_back()
    expect(page.get_by_role("heading", name="Recently added")).to_be_visible()
    expect(page.get_by_role("searchbox")).to_have_value("")
    page.go_forward()
    expect(page.get_by_role("searchbox")).to_have_value("astronaut")


def test_arrows_move_between_pictures_and_slash_goes_to_the_box(page: Page) -> None:
    page.goto("/")
    tiles = page.locator("[data-asset]")
    expect(tiles).to_have_count(8)
    tiles.first.focus()
    page.keyboard.press("ArrowRight")
    expect(tiles.nth(1)).to_be_focused()
    page.keyboard.press("End")
    expect(tiles.last).to_be_focused()
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()


def test_nothing_found_offers_a_wider_search(page: Page) -> None:
    page.goto("/?q=temple+type%3Avideo")
    expect(page.get_by_role("heading", name="Nothing found")).to_be_visible()
    page.get_by_role("button", name="Search without type:video").click()
    expect(page.get_by_role("status")).to_contain_text("2 results")


def test_a_syntax_error_is_shown_where_it_is(page: Page) -> None:
    page.goto("/?q=temple+%22coffee")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("at character 8")
    assert alert.locator("mark").inner_text() == '"'
    expect(page.get_by_role("searchbox")).to_have_attribute("aria-invalid", "true")


def test_a_filter_is_taken_out_with_one_press(page: Page) -> None:
    page.goto("/?q=temple+type%3Aphoto")
    page.get_by_role("button", name="Remove the filter type:photo").click()
    expect(page.get_by_role("searchbox")).to_have_value("temple")


def test_the_help_lists_the_words_and_searches_for_an_example(page: Page) -> None:
    page.goto("/")
    page.get_by_role("button", name="How to search").click()
    dialog = page.get_by_role("dialog", name="How to search")
    dialog.get_by_role("button", name="Search for dog on a beach", exact=True).click()
    expect(dialog).to_be_hidden()
    expect(page.get_by_role("searchbox")).to_have_value("dog on a beach")


def test_indexing_and_trouble_are_shown(page: Page) -> None:
    page.goto("/")
    expect(page.get_by_role("progressbar")).to_be_visible()
    expect(page.get_by_label("Indexing", exact=True)).to_contain_text("Looking at pictures")
    page.get_by_text("could not be read completely").click()
    expect(page.get_by_text("family/broken.jpg")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("address_of", "shown", "opens"),
    [
        ("/", "[data-asset] img", None),
        ("/?q=temple+type%3Aphoto", "[data-asset] img", None),
        ("/?q=xylophone", ".message", None),
        ("/?q=%22", "[role=alert]", None),
        ("/?q=temple", "dialog .facts", "[data-asset]"),
        ("/", "dialog .terms", "[aria-label='How to search']"),
    ],
)
def test_axe_finds_no_serious_problem_on_a_desk_or_a_phone(
    page: Page, address_of: str, shown: str, opens: str | None
) -> None:
    page.goto(address_of)
    if opens:
        page.locator(opens).first.click()
    page.wait_for_selector(shown)
    assert axe.serious(page) == []
