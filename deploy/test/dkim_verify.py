"""Verifies the DKIM signature of the mail on standard input with dkimpy; no code shared with ours.

Usage: dkim_verify.py NAME RECORD. NAME is where the public key has to be looked up, such as
s1._domainkey.example.com, and RECORD the text that the DNS would hold there.

Prints `valid` and the signed headers, or `invalid` and the reason; ends with 0 in both cases.
"""

import sys

import dkim


def look_up(name, timeout=5):
    return sys.argv[2].encode() if name.decode().rstrip(".") == sys.argv[1] else None


verifier = dkim.DKIM(sys.stdin.buffer.read())
try:
    if verifier.verify(dnsfunc=look_up):
        print("valid", b" ".join(verifier.include_headers).decode().lower())
    else:
        print("invalid: the signature does not fit")
except dkim.DKIMException as error:
    print("invalid:", error)
