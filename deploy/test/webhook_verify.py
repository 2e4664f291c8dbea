"""Verifies webhook requests with the reference library of Standard Webhooks; no code shared with ours.

Reads a JSON list of `{"secret", "headers", "body"}` from standard input, and prints one line for each:
`valid` and the type of its event, or `invalid` and the reason. The few lines that docs/webhooks.md
shows must come to the same result. Ends with 0 in both cases.
"""

import json
import pathlib
import sys

from standardwebhooks import Webhook, WebhookVerificationError

guide = pathlib.Path(__file__).parents[2] / "docs" / "webhooks.md"
shown = {}
exec(guide.read_text().split("```python\n")[1].split("```")[0], shown)


def by_the_guide(request):
    try:
        shown["verify"](request["secret"], request["headers"], request["body"].encode())
        return True
    except ValueError:
        return False


for request in json.load(sys.stdin):
    try:
        event = Webhook(request["secret"]).verify(request["body"], request["headers"])
        said = f"valid {event['type']}"
    except WebhookVerificationError as error:
        said = f"invalid: {error}"
    assert by_the_guide(request) == said.startswith("valid"), "the guide says otherwise"
    print(said)
