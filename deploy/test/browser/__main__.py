"""Runs the parts that are named, or all of them."""

import os
import sys

from playwright.sync_api import sync_playwright

from .backstage import Site
from .batches import batches
from .console import console
from .docs import docs
from .editors import editors
from .inbox import inbox
from .invitee import left_to_right, right_to_left
from .look import complaints, open_page, seen
from .trouble import trouble
from .webhooks import webhooks
from .without_scripts import without_scripts

PARTS = {
    "left-to-right": left_to_right,
    "right-to-left": right_to_left,
    "inbox": inbox,
    "docs": docs,
    "console": console,
    "editors": editors,
    "batches": batches,
    "webhooks": webhooks,
    "trouble": trouble,
    "without-scripts": without_scripts,
}


def site_of(part):
    if part == "trouble":
        url, database = os.environ["BROWSE_TROUBLE_URL"], os.environ["BROWSE_TROUBLE_DATABASE"]
        return Site(url, database, os.environ["BROWSE_INSTANCE_KEY"])
    return Site(os.environ["WELCOMAT_URL"], os.environ["BROWSE_DATABASE"], os.environ["WELCOMAT_API_KEY"])


def main(parts):
    if unknown := [part for part in parts if part not in PARTS]:
        sys.exit(f"there is no part {', '.join(unknown)}; there are {', '.join(PARTS)}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ["BROWSE_WITH"],
            args=["--no-sandbox", "--no-proxy-server"],
        )
        for part in parts:
            PARTS[part](open_page(browser), site_of(part))
        browser.close()
    # A page that is refused is said to be: that is what was asked for. All else is a mistake of ours.
    wrong = [one for one in complaints if "the server responded with a status of 4" not in one]
    assert not wrong, wrong
    print(f"{len(seen)} pages without barriers, in 2 sizes and 2 colour schemes: {', '.join(seen)}")


main(sys.argv[1:] or PARTS)
