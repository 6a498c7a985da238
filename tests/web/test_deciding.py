"""What the owner decides on the page, in a real headless Chromium, over a mount's session: in the history, and of a picture."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from havend import deciding, session
from havenfs import owner
from havenfs.catalog import Catalog, sources
from havenfs.decisions import Keeper, new_uid, values
from havenfs.decisions.bin import Bin
from tests.web import axe
from tests.web.conftest import make, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Locator, Page

pytestmark = pytest.mark.browser

ALBUM = values.MakeFolder(uid=new_uid(), folder=values.Folder.ALBUM, name="Temples")


class Household:
    """A library in which somebody has decided: an album, what is in it, a file in the trash."""

    def __init__(self, directory: Path) -> None:
        self.state = make(directory)
        self.rocket = directory / "originals/Space/rocket.jpg"
        with Catalog(self.state.catalog) as catalog:
            rows: Any = catalog.read(
                lambda db: db.execute("SELECT name, hash FROM asset").fetchall()
            )
            hashes = dict(rows)
            catalog.write(lambda db: db.execute("UPDATE source SET writable = 1"))
            keeper = Keeper(catalog, self.state.journal)
            keeper.decide(ALBUM, by="ann")
            temple = (hashes["temple.jpg"],)
            keeper.decide(values.Fill(uid=ALBUM.uid, contents=temple, inside=True), by="ann")
            family = catalog.read(sources.by_name, "family")
            Bin(catalog, keeper).take(
                family, b"Space/rocket.jpg", hashes["rocket.jpg"], nullcontext(), by="bob"
            )
        assert not self.rocket.exists()


@pytest.fixture
def household(tmp_path: Path) -> Household:
    return Household(tmp_path)


@pytest.fixture
def address(household: Household, tmp_path: Path) -> Iterator[str]:
    """Of a running program, beside what a mount runs."""
    with (
        session.opened(household.state, tmp_path / "mnt") as operations,
        deciding.answering(household.state, operations),
        serving(household.state) as found,
    ):
        yield found


@pytest.fixture
def opened(page: Page, household: Household) -> Locator:
    """The history, in the owner's browser."""
    page.goto(f"/?key={owner.key(household.state.owner_key)}")
    assert page.url.endswith("/")
    return history(page)


def history(page: Page) -> Locator:
    page.get_by_role("button", name="History").click()
    dialog = page.get_by_role("dialog", name="History")
    expect(dialog.get_by_role("listitem")).to_have_count(3)
    return dialog


def test_what_was_decided_stands_under_its_day_newest_first_with_its_picture(
    opened: Locator, page: Page
) -> None:
    expect(opened.get_by_role("heading", level=3)).to_have_text(["Today"])
    words = opened.locator("li p").all_text_contents()
    assert words == [
        "Moved “rocket.jpg” to the trash.",
        "1 file put into the album “Temples”.",
        "Made the album “Temples”.",
    ]
    expect(opened.locator("li small").first).to_contain_text("bob")
    page.wait_for_function(
        "[...document.querySelectorAll('.shots img')].filter(i => i.naturalWidth > 0).length == 2"
    )


def test_a_removed_file_comes_back_to_its_folder_and_to_the_wall_behind(
    opened: Locator, page: Page, household: Household
) -> None:
    expect(page.locator("[data-asset]")).to_have_count(7)
    opened.get_by_role("button", name="Undo: Moved “rocket.jpg”").click()
    redo = opened.get_by_role("button", name="Redo: Moved “rocket.jpg”")
    expect(redo).to_be_focused()  # who works with the keyboard is where he was
    assert household.rocket.exists()
    expect(page.get_by_role("status")).to_contain_text("Took back: moved “rocket.jpg”")
    expect(opened.locator("li").first).to_contain_text("taken back today")
    expect(page.locator("[data-asset]")).to_have_count(8)
    page.keyboard.press("Enter")
    expect(opened.get_by_role("button", name="Undo: Moved “rocket.jpg”")).to_be_focused()
    assert not household.rocket.exists()
    expect(page.locator("[data-asset]")).to_have_count(7)


def test_what_stands_in_the_way_is_said_beside_it(opened: Locator) -> None:
    expect(opened.locator("li").last).to_contain_text("something later stands in the way")
    opened.get_by_role("button", name="Undo: Made the album").click()
    expect(opened.get_by_role("alert")).to_contain_text("1 file put into the album “Temples”")
    opened.get_by_role("button", name="Undo what is left of it").click()
    expect(opened.get_by_role("alert")).to_have_text("Nothing of it is left to be taken back.")
    opened.get_by_role("button", name="Undo: 1 file put into").click()
    expect(opened.get_by_role("button", name="Redo: 1 file put into")).to_be_visible()
    opened.get_by_role("button", name="Undo: Made the album").click()
    expect(opened.get_by_role("button", name="Redo: Made the album")).to_be_visible()
    expect(opened.get_by_role("alert")).to_have_count(0)


def test_without_the_key_there_is_the_list_and_how_to_get_it(page: Page) -> None:
    page.goto("/")
    dialog = history(page)
    expect(dialog).to_contain_text("havenfs web --link")
    expect(dialog.get_by_role("button")).to_have_count(1)  # closes it


def test_the_key_h_opens_it_and_esc_gives_the_focus_back(page: Page) -> None:
    page.goto("/")
    button = page.get_by_role("button", name="History")
    button.focus()
    page.keyboard.press("h")
    dialog = page.get_by_role("dialog", name="History")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(button).to_be_focused()


def test_a_browser_that_was_shut_out_meanwhile_is_told(
    opened: Locator, household: Household
) -> None:
    household.state.owner_key.unlink()
    opened.get_by_role("button", name="Undo: Moved “rocket.jpg”").click()
    expect(opened.get_by_role("alert")).to_contain_text("havenfs web --link")
    assert not household.rocket.exists()


@pytest.fixture
def picture(page: Page, household: Household) -> Locator:
    """One picture, large, in the owner's browser."""
    page.goto(f"/?key={owner.key(household.state.owner_key)}")
    page.goto("/?q=sofa")
    page.locator("[data-asset]").first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("region", name="What you say of it")).to_be_visible()
    return dialog


def test_what_is_said_of_a_picture_holds_and_stands_in_the_history(
    picture: Locator, page: Page
) -> None:
    heart = picture.get_by_role("button", name="Favorite")
    expect(heart).to_have_attribute("aria-pressed", "false")
    heart.click()
    expect(heart).to_have_attribute("aria-pressed", "true")
    picture.get_by_role("button", name="4 of 5 stars").click()
    expect(picture.get_by_role("group", name="Rating: 4 of 5 stars")).to_be_visible()
    caption = picture.get_by_label("Caption")
    caption.fill("our cat")
    caption.press("ArrowLeft")  # within the text: the picture stays
    caption.press("Enter")
    tags = picture.get_by_label("Tags")
    tags.fill("home, animals/cat")
    tags.press("Tab")
    expect(tags).to_have_value("animals/cat, home")  # as they are kept
    page.reload()
    expect(picture.get_by_label("Caption")).to_have_value("our cat")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="History").click()
    expect(page.locator(".history li p").first).to_contain_text("1 file put into the tag “cat”")
    expect(page.locator(".history li")).to_have_count(7)


def test_stars_go_again_with_a_second_press_and_what_cannot_be_is_said(picture: Locator) -> None:
    picture.get_by_role("button", name="2 of 5 stars").click()
    picture.get_by_role("button", name="No rating").click()
    expect(picture.get_by_role("group", name="Rating: 0 of 5 stars")).to_be_visible()
    picture.get_by_label("Tags").fill("a//b")
    picture.get_by_label("Tags").press("Enter")
    expect(picture.get_by_role("alert")).to_have_text("A tag without a name.")


def test_without_the_key_a_picture_is_shown_and_nothing_is_offered(page: Page) -> None:
    page.goto("/?q=sofa")
    page.locator("[data-asset]").first.click()
    expect(page.locator("dialog .facts")).to_be_visible()
    expect(page.get_by_role("button", name="Favorite")).to_have_count(0)
    expect(page.get_by_label("Caption")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_problem_in_what_is_said(picture: Locator, page: Page) -> None:
    picture.get_by_role("button", name="Favorite").click()
    picture.get_by_role("button", name="4 of 5 stars").click()
    expect(picture.get_by_role("group", name="Rating: 4 of 5 stars")).to_be_visible()
    assert axe.serious(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_problem_in_the_history(opened: Locator, page: Page) -> None:
    opened.get_by_role("button", name="Undo: Moved “rocket.jpg”").click()
    expect(opened.get_by_role("button", name="Redo")).to_be_visible()
    opened.get_by_role("button", name="Undo: Made the album").click()
    expect(opened.get_by_role("alert")).to_be_visible()
    assert axe.serious(page) == []
