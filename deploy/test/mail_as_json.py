"""Reads a mail on standard input and prints what Python's mail library finds in it, as JSON.

`headers` holds the decoded headers, `to` and `from` the name and address of each mailbox in them,
`parts` the type, encoding and decoded text of each part that is not a multipart itself.
`defects` lists whatever the library had to forgive.
"""

import email
import email.policy
import json
import sys

mail = email.message_from_bytes(sys.stdin.buffer.read(), policy=email.policy.default)
leaves = [part for part in mail.walk() if not part.is_multipart()]
defects = [defect for part in mail.walk() for defect in part.defects]
defects += [defect for value in mail.values() for defect in value.defects]


def mailboxes(name):
    return [[mailbox.display_name, mailbox.addr_spec] for mailbox in mail[name].addresses]


json.dump(
    {
        "headers": {name: str(value) for name, value in mail.items()},
        "from": mailboxes("From"),
        "to": mailboxes("To"),
        "type": mail.get_content_type(),
        "parts": [
            {
                "type": part.get_content_type(),
                "encoding": part["Content-Transfer-Encoding"],
                "text": part.get_content(),
            }
            for part in leaves
        ],
        "defects": [str(defect) for defect in defects],
    },
    sys.stdout,
)
