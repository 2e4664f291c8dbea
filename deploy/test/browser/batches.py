"""Many at once, by a file."""

import csv
import io
import pathlib

from playwright.sync_api import Page, expect

from .backstage import Site
from .console import at, sign_in
from .look import look

# As Excel saves it where lists are parted by semicolons: a byte-order mark, CRLF between rows and LF
# within a cell, quotes around what needs them, a row of empty cells.
FROM_EXCEL = "\r\n".join(
    [
        "\ufeffemail;first_name;last_name;role",
        "juergen@example.com;Jürgen;Müller-Lüdenscheid;editor",
        'vera@example.com;Vera;"Smith, Jr.";',
        'wim@example.com;"Wim ""Willem""";"de Vries; senior";',
        'xena@example.com;"Xena\n";Zorn;',
        'yara@example.com;"Ya\nra";Zorn;',
        "niemand;Nie;Mand;",
        ";;;",
        "juergen@example.com;Jürgen;Müller;",
        "",
    ]
)
# The line that a row begins in, as an editor counts them, and what becomes of it.
BECOMES = [
    ("2", "juergen@example.com", "created", ""),
    ("3", "vera@example.com", "created", ""),
    ("4", "wim@example.com", "created", ""),
    ("5", "xena@example.com", "created", ""),
    ("7", "yara@example.com", "invalid", "validation_failed"),
    ("9", "niemand", "invalid", "validation_failed"),
    ("11", "juergen@example.com", "pending", "invitation_pending"),
]
NAMES = {
    "juergen@example.com": ("Jürgen", "Müller-Lüdenscheid", "editor"),
    "vera@example.com": ("Vera", "Smith, Jr.", "member"),
    "wim@example.com": ('Wim "Willem"', "de Vries; senior", "member"),
    "xena@example.com": ("Xena", "Zorn", "member"),
}


def batches(page: Page, site: Site):
    sign_in(page, site)
    at(page, "Batches")
    look(page, "console-batches-none")
    upload(page, "email,first_name\nola@example.com,Ola\nnobody,X\npia@example.com,www.example.com\n", "atomic")
    expect(page.get_by_role("alert")).to_contain_text("rows[2]")
    look(page, "console-batches-wrong")
    from_excel(page, site)
    rows = "".join(f"person{number}@example.com,Person\n" for number in range(300))
    upload(page, f"email,first_name\n{rows}nobody,X\n", "partial")
    expect(page.get_by_role("status")).to_contain_text("taken in")
    # It moves while somebody looks.
    expect(page.locator("main")).to_contain_text("301 of 301 rows are done", timeout=30_000)
    expect(page.locator(".states")).to_contain_text("done", timeout=15_000)
    look(page, "console-batch")
    page.get_by_role("link", name="← Batches").click()
    look(page, "console-batches")


def from_excel(page: Page, site: Site):
    """Each row comes to what it says, and the download tells of each."""
    upload(page, FROM_EXCEL, "partial", "application/vnd.ms-excel")
    expect(page.locator("main")).to_contain_text("7 of 7 rows are done", timeout=30_000)
    wrong = page.get_by_role("region", name="Rows that invited nobody").locator("tbody tr")
    expect(wrong.filter(has_text="yara@example.com")).to_contain_text("has a line break")
    look(page, "console-batch-from-excel")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download all rows").click()
    text = pathlib.Path(download.value.path()).read_text(encoding="utf-8")
    told = [
        (row["line"], row["email"], row["status"], row["code"])
        for row in csv.DictReader(io.StringIO(text, newline=""))
    ]
    assert told == BECOMES, told
    invited = {
        one["email"]: (one["first_name"], one["last_name"], one["role"])
        for one in site.own("GET", "/invitations?limit=100")["data"]
        if one["email"] in NAMES
    }
    assert invited == NAMES, invited
    page.get_by_role("link", name="← Batches").click()


def upload(page: Page, text, mode, kind="text/csv"):
    file = {"name": "people.csv", "mimeType": kind, "buffer": text.encode()}
    page.get_by_label("File").set_input_files(file)
    page.get_by_label("If a row is wrong").select_option(mode)
    page.get_by_role("button", name="Invite them").click()
