"""Verifies webhook requests with the reference library of Standard Webhooks; no code shared with ours.

Reads a JSON list of `{"secret", "headers", "body"}` from standard input, and prints one line for each:
`valid` and the type of its event, or `invalid` and the reason. Ends with 0 in both cases.
"""

import json
import sys

from standardwebhooks import Webhook, WebhookVerificationError

for request in json.load(sys.stdin):
    try:
        event = Webhook(request["secret"]).verify(request["body"], request["headers"])
        print("valid", event["type"])
    except WebhookVerificationError as error:
        print("invalid:", error)
