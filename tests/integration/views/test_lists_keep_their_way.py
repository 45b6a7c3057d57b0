"""Lists: turning pages, sorting and filtering keep each other, count right, and come back when a filter is taken away."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
from flask import Flask

from app.extensions import db
from app.models import Account
from app.models.base import now
from app.permissions import roles
from app.services.reference import lookups
from tests import factories
from tests.conftest import SqliteDatabases
from tests.factories_portal import make_declaration, make_message, make_notice, make_public_list
from tests.shared_world import World, visible

ROWS = 45


@pytest.fixture(scope="module")
def full(sqlite_databases: SqliteDatabases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A platform with lists of several pages."""
    app: Flask = sqlite_databases.app
    sqlite_databases.reset()
    lookups.forget()
    kept = dict(app.config)
    app.config["DATA_DIR"] = tmp_path_factory.mktemp("full")
    with app.app_context():
        world = World(app)
        for name, role in (("owner", roles.ENTERPRISE), ("city", roles.CITY)):
            world.people[name] = factories.make_account(role).id
        _fill(world)
        db.session.remove()
    yield world
    app.config.clear()
    app.config.update(kept)
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def _fill(world: World) -> None:
    owner = db.session.get_one(Account, world.people["owner"])
    for number in range(ROWS):
        kind = "information_update" if number % 3 else "declaration_reminder"
        make_message(owner, f"第{number:02d}条", kind)
        make_notice(
            f"公告{number:02d}号",
            level="city" if number % 2 else "province",
            published_at=now() - timedelta(hours=number),
        )
    batch = factories.make_batch(title="大批次")
    world.ids |= {"batch": batch.public_id, "list": make_public_list(batch, ROWS).public_id}
    for number in range(ROWS):
        company = factories.make_enterprise(region="230108" if number % 2 else "230102")
        make_declaration(
            company, batch, status="in_progress", step_key="preliminary_review", holder_role="city", holder_region="230100",
            serial_no=f"2026-ZZ-{number:04d}", submitted_at=now(), due_at=now() + timedelta(days=number - 3),
        )  # fmt: skip


def next_link(page: str, words: str = "下一页") -> str | None:
    """Where the button for the next page leads."""
    found = re.search(rf'<a class="btn btn-sm btn-quiet" href="([^"]+)">{words}</a>', page)
    return html.unescape(found[1]) if found else None


LISTS = [
    ("owner", "/messages/", 45, "第(\\d\\d)条"), ("owner", "/messages/?kind=information_update", 30, "第(\\d\\d)条"),
    ("owner", "/messages/?kind=information_update&psize=7", 30, "第(\\d\\d)条"),
    ("nobody", "/notices/", 45, "公告(\\d\\d)号"), ("nobody", "/notices/?level=city", 22, "公告(\\d\\d)号"),
    ("nobody", "/notices/?level=city&q=公告1", 5, "公告(\\d\\d)号"), ("nobody", "/notices/?psize=100", 45, "公告(\\d\\d)号"),
    ("nobody", "/publicity/{list}/", 45, "装备(\\d+)号"), ("nobody", "/publicity/{list}/?q=装备3", 11, "装备(\\d+)号"),
    ("nobody", "/publicity/{list}/?q=装备3&psize=4", 11, "装备(\\d+)号"),
    ("city", "/todo/", 45, "2026-ZZ-(\\d{4})"), ("city", "/todo/?q=ZZ-00", 45, "2026-ZZ-(\\d{4})"),
    ("city", "/todo/?q=ZZ-000", 10, "2026-ZZ-(\\d{4})"), ("city", "/todo/?step=preliminary_review&q=zz-00", 45, "2026-ZZ-(\\d{4})"),
    ("city", "/batches/{batch}/?status=in_progress", 45, "2026-ZZ-(\\d{4})"),
    ("city", "/admin/declaration/list/?_flt_0_serial_no=ZZ-00", 45, "2026-ZZ-(\\d{4})"),
    ("city", "/admin/declaration/list/?_flt_0_serial_no=ZZ-00&_oc_Grid_declaration=serial_no&_od_Grid_declaration=asc&psize_Grid_declaration=10",
     45, "2026-ZZ-(\\d{4})"),
]  # fmt: skip


@pytest.mark.parametrize(("person", "pattern", "total", "row"), LISTS, ids=[f"{x[0]}{x[1][:70]}" for x in LISTS])
def test_turning_pages_shows_every_row_once(full: World, person: str, pattern: str, total: int, row: str) -> None:
    """From the first page by its own buttons to the last: all rows, none twice, the filter still in the address."""
    first = full.path(pattern)
    wanted = {k: v for k, v in parse_qsl(urlsplit(first).query) if not k.startswith("psize")}
    seen: list[str] = []
    address: str | None = first
    for _page in range(20):
        assert address is not None
        text = full.open(person, address).text
        assert f"共 {total} " in " ".join(visible(full.open(person, address)).split())
        main = re.sub(r"(?s)^.*?<main", "", text)
        seen += list(dict.fromkeys(re.findall(row, main)))
        address = next_link(text)
        if address is None:
            break
        assert wanted.items() <= dict(parse_qsl(urlsplit(address).query)).items(), "the filter stays"
    assert len(seen) == len(set(seen)) == total


def test_a_search_keeps_tab_and_filters(full: World) -> None:
    page = full.open("city", "/todo/?step=preliminary_review&soon=1&tab=waiting").text
    form = page.split('<form role="search"')[1].split("</form>")[0]
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))
    assert hidden == {"tab": "waiting", "step": "preliminary_review", "soon": "1"}


def test_a_chip_takes_only_itself_away(full: World) -> None:
    page = full.open("city", "/todo/?soon=1&step=preliminary_review&q=ZZ&page=1").text
    chips = [html.unescape(h) for h in re.findall(r'class="sb-chip on" href="([^"]+)"', page)]
    left = [set(parse_qs(urlsplit(c).query)) for c in chips]
    assert {frozenset(x) for x in left} == {frozenset({"step", "q"}), frozenset({"soon", "q"})}
    clear = re.search(r'<a href="([^"]+)" class="small">清空</a>', page)
    assert clear and clear[1] == "/todo/"


def test_due_soon_shows_those_and_the_most_urgent_first(full: World) -> None:
    page = full.open("city", "/todo/?soon=1").text
    serials = re.findall(r"2026-ZZ-(\d{4})", page)
    assert serials == sorted(serials) and serials[0] == "0000" and 3 < len(serials) < 15
    assert full.open("city", "/todo/next").status_code == 302
    assert "已超期" in visible(full.open("city", "/todo/"))


@pytest.mark.parametrize("value", ["", "0", "2", "yes"])
def test_other_values_of_due_soon_do_not_filter(full: World, value: str) -> None:
    assert "共 45 件" in visible(full.open("city", f"/todo/?soon={value}"))


@pytest.mark.parametrize(
    ("query", "words"),
    [("q=没有这家", "没有符合条件的事项"), ("programme=nothing", "清空筛选"), ("step=nothing", "没有符合条件的事项")],
)
def test_nothing_found_offers_the_way_back(full: World, query: str, words: str) -> None:
    answer = full.open("city", f"/todo/?{query}")
    assert words in visible(answer) and 'href="/todo/"' in answer.text


SIGNS = ["%", "_", "\\", "%%", "ZZ_0", "ZZ%", "' OR '1'='1", "；", "*", "?"]


@pytest.mark.parametrize("sign", SIGNS)
def test_signs_of_the_query_language_are_signs(full: World, sign: str) -> None:
    """A percent sign finds names with a percent sign, not everything."""
    for person, path in (("city", "/todo/"), ("nobody", "/notices/"), ("nobody", "/publicity/{list}/")):
        read = visible(full.open(person, path, query_string={"q": sign}))
        assert "共 45" not in read, path
    grid = full.open("city", "/admin/declaration/list/", query_string={"_flt_0_serial_no": sign})
    assert "共 0 条" in visible(grid)
    assert full.browser("owner").get("/pickers/regions", query_string={"q": sign}).json["items"] == []


SORTS = [
    ("serial_no", "asc", "0000"),
    ("serial_no", "desc", "0044"),
    ("due_at", "asc", "0000"),
    ("due_at", "desc", "0044"),
]


@pytest.mark.parametrize(("column", "way", "first"), SORTS)
def test_grids_sort_as_asked_and_offer_the_other_way(full: World, column: str, way: str, first: str) -> None:
    query = f"_oc_Grid_declaration={column}&_od_Grid_declaration={way}&_flt_0_serial_no=ZZ"
    page = full.open("city", f"/admin/declaration/list/?{query}").text
    assert re.findall(r"2026-ZZ-(\d{4})", page.split("<tbody")[1])[0] == first
    assert f'aria-sort="{"ascending" if way == "asc" else "descending"}"' in page
    heads = [html.unescape(h) for h in re.findall(r'<th scope="col"[^>]*><a href="([^"]+)"', page)]
    assert heads and all("_flt_0_serial_no=ZZ" in head for head in heads), "sorting keeps the filter"


def test_a_grid_filter_keeps_order_and_page_size(full: World) -> None:
    query = (
        "_oc_Grid_declaration=serial_no&_od_Grid_declaration=asc&psize_Grid_declaration=10&_flt_0_region_code=230108"
    )
    page = full.open("city", f"/admin/declaration/list/?{query}").text
    form = page.split("data-filter")[1].split("</form>")[0]
    hidden = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form))
    assert hidden == {
        "_oc_Grid_declaration": "serial_no",
        "_od_Grid_declaration": "asc",
        "psize_Grid_declaration": "10",
    }
    chip = re.search(r'class="sb-chip on" href="([^"]+)"', page)
    assert chip and "_flt_" not in chip[1] and "psize_Grid_declaration=10" in html.unescape(chip[1])
    assert "共 22 条" in visible(full.open("city", f"/admin/declaration/list/?{query}"))


def test_the_tabs_of_a_batch_count_what_they_show(full: World) -> None:
    page = full.open("city", "/batches/{batch}/").text
    tabs = re.findall(r'<a href="([^"]+)"[^>]*>([^<]+?) <span class="sb-count">(\d+)</span>', page.split("按状态看")[1])
    assert len(tabs) >= 2 and tabs[0][1] == "全部"
    for url, label, count in tabs:
        assert f"共 {count} 件" in visible(full.open("city", html.unescape(url))), label
