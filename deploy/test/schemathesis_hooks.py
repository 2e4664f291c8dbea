"""What Schemathesis has to know about this service; see the script of the same name."""

import base64
import hmac
import json
import os
import re
import time
import urllib.error
import urllib.request
import uuid

import schemathesis

# Why a value is refused although its schema takes it: no schema can say these.
BEYOND_SCHEMAS = (
    "has too many combining marks on one letter",
    "has an invisible or direction-changing character",
    "has no letter or digit",
    "looks like a link or a telephone number",
    "may have at most 4096 bytes as JSON",
    # The organization's own roles, which the run changes as it goes.
    "must be one of ",
    # What a date is to the clock.
    "must be in the future",
    "may be at most 365 days away",
    "may be at most 90 days away",
    # A whole number that is written with a fraction of nought.
    "must be u32",
    # A number of days in a list: there is no place for the most that each may be.
    "must be u16",
    # What is a domain, a language, and in order.
    "must be a domain",
    "must be the name of a language",
    "must be at most 5 numbers of days",
    "is the address that the invitation has",
    # A test mail is of a text or of a version.
    "cannot be given together with a text",
    # Where a webhook may not go, and how many there may be.
    "must be an absolute URL",
    "must begin with https://",
    "must not hold a user name",
    "must not have a fragment",
    "must use a port",
    "must have a public address",
    "is one too many",
    # What is a link, and what is a picture.
    "must be a link such as",
    "must not have a user name",
    "must be a PNG, JPEG, WebP or GIF image",
    "is not a whole image",
)


def ask(path, body=None):
    """GET, or POST of a body, as the run's own caller."""
    headers = {"Authorization": f"Bearer {os.environ['WELCOMAT_API_KEY']}"}
    if body is not None:
        # Captured mail is out at once.
        headers |= {"Content-Type": "application/json", "Prefer": "wait=10"}
        body = json.dumps(body).encode()
    request = urllib.request.Request(os.environ["WELCOMAT_URL"] + path, body, headers)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def is_uuid(text):
    try:
        return bool(uuid.UUID(text))
    except (AttributeError, TypeError, ValueError):
        return False


# The organization and the key that this run is for.
ORGANIZATION = ask("/v1/me")["organization"]["id"]
KEY = ask("/v1/api-keys")["data"][-1]["id"]


USER = ask("/v1/me")["user"]["number"]


def session_token():
    """What a product's own sign-in would have issued."""

    def part(value):
        text = value if isinstance(value, bytes) else json.dumps(value).encode()
        return base64.urlsafe_b64encode(text).rstrip(b"=")

    now = int(time.time())
    claims = {"userId": str(USER), "sessionId": "s", "iat": now, "exp": now + 600}
    signed = part({"alg": "HS256"}) + b"." + part(claims)
    secret = os.environ["WELCOMAT_SESSION_TOKEN_SECRET"].encode()
    return (signed + b"." + part(hmac.digest(secret, signed, "sha256"))).decode()


def new_token():
    """The secret of an invitation that nobody has answered."""
    path = f"/v1/organizations/{ORGANIZATION}/invitations"
    invitation = ask(path, {"email": f"{uuid.uuid4()}@example.com"})
    mails = ask("/inbox/messages")
    mail = next(mail for mail in mails if mail["invitation_id"] == invitation["id"])
    return re.search(r"/i/(\w+)", mail["text"])[1]


@schemathesis.serializer(
    "application/x-ndjson",
    "text/csv",
    "message/rfc822",
    "image/png",
    "image/jpeg",
    "image/webp",
    "image/gif",
)
def text(ctx, value):
    """Files of invitations, and mails, are made up as texts."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    """Turns most ids of organizations into that of our own: there is nothing behind others."""
    given = (path_parameters or {}).get("organization")
    if is_uuid(given) and not given.startswith("f"):
        return {**path_parameters, "organization": ORGANIZATION}
    return path_parameters


@schemathesis.hook
def before_call(context, case, kwargs):
    """Gets the run further than chance would."""
    # A contract wants to know whose session it is; some requests have a real one.
    session = (case.headers or {}).get("x-session-token")
    if isinstance(session, str) and len(session) % 2 == 0:
        case.path_parameters["userId"] = USER
        case.headers["x-session-token"] = session_token()
    # It must not revoke its own key.
    if (case.path_parameters or {}).get("api_key") == KEY:
        case.path_parameters["api_key"] = str(uuid.uuid4())
    # Nobody outside is to be told of anything; whether a URL is fit is tested elsewhere.
    url = case.body.get("url") if isinstance(case.body, dict) else None
    if isinstance(url, str) and url.startswith("https://"):
        case.body["url"] = "https://hooks.welcomat.invalid/"
    # A key that was used before makes a request wrong, and simple ones come again and again.
    key = (case.headers or {}).get("Idempotency-Key")
    if isinstance(key, str) and re.fullmatch("[!-~]+", key) and len(key) % 2 == 1:
        case.headers["Idempotency-Key"] = str(uuid.uuid4())
    # Some invitees have a real link.
    token = case.body.get("token") if isinstance(case.body, dict) else None
    if isinstance(token, str) and len(token) <= 256 and len(token) % 4 == 0:
        try:
            case.body["token"] = new_token()
        except urllib.error.HTTPError:
            # The run has changed who may be invited: the token that was made up will do.
            pass


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """Lets pass what is refused for a reason that the document cannot express."""
    title = failure.title.lower()
    if "deleted resource" in title:
        # An invitation that is revoked can still be looked at: its history stays.
        return "/invitations/" not in case.path
    # The contracts read bodies as loosely as JavaScript does, and their pages say less than what can be
    # mailed; tables of tests have their edges.
    if "Contracts" in case.operation.tags and ("accepted" in title or "rejected" in title):
        return False
    # A file is a text to any schema, whatever else it may be.
    if case.operation.path.endswith("/batches") and "accepted" in title:
        return False
    if "rejected" not in title:
        return True
    if response.status_code != 422:
        return True
    # A file is a text to any schema; and one bad row spoils a batch that is all or nothing.
    if case.operation.path.endswith("/batches"):
        return False
    problem = response.json()
    messages = [error["message"] for error in problem.get("errors", [])]
    beyond = messages and all(message.startswith(BEYOND_SCHEMAS) for message in messages)
    # A template is more than a text.
    refused = ("idempotency_key_reused", "template_invalid", "address_suppressed")
    return not beyond and problem["code"] not in refused
