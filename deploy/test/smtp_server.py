"""A real SMTP server for the tests: aiosmtpd with STARTTLS and AUTH, writing a maildir.

Usage: smtp_server.py DIR PORT [MECHANISM]. Without MECHANISM, PLAIN and LOGIN are offered. Reads DIR/server.pem and DIR/server.key, writes DIR/maildir.

A mail is kept byte for byte as it came, under two lines that a delivery agent adds as well:
Return-Path and Delivered-To hold the envelope, one Delivered-To for each recipient.
"""

import asyncio
import itertools
import pathlib
import signal
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

NAME, PASSWORD = b"tester", b"secret"
MECHANISMS = {"PLAIN", "LOGIN"}


class Maildir:
    """Accepts every mail, except to recipients whose local part asks for an answer.

    `550-ann@…` is refused as an unknown mailbox and `450-ann@…` for now.
    """

    def __init__(self, path: pathlib.Path) -> None:
        self.path = path
        for part in ("tmp", "new", "cur"):
            (path / part).mkdir(parents=True, exist_ok=True)
        self.number = itertools.count(sum(1 for _ in (path / "new").iterdir()) + 1)

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("550-"):
            return "550 5.1.1 No such mailbox here"
        if address.startswith("450-"):
            return "450 4.2.1 Mailbox busy, try again later"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server, session, envelope):
        head = [f"Return-Path: <{envelope.mail_from}>"]
        head += [f"Delivered-To: {address}" for address in envelope.rcpt_tos]
        text = "\r\n".join([*head, ""]).encode() + envelope.original_content
        name = f"{next(self.number):06}.eml"
        (self.path / "tmp" / name).write_bytes(text)
        # A reader sees the whole mail or none of it.
        (self.path / "tmp" / name).rename(self.path / "new" / name)
        return "250 2.0.0 OK " + name


def authenticate(server, session, envelope, mechanism, data):
    right = data.login == NAME and data.password == PASSWORD
    return AuthResult(success=right, handled=right)


async def serve(directory: pathlib.Path, port: int, mechanisms: set[str]) -> None:
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(directory / "server.pem", directory / "server.key")
    handler = Maildir(directory / "maildir")

    def conversation() -> SMTP:
        return SMTP(
            handler,
            hostname="localhost",
            tls_context=tls,
            require_starttls=True,
            auth_required=True,
            auth_exclude_mechanism=MECHANISMS - mechanisms,
            authenticator=authenticate,
        )

    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    server = await loop.create_server(conversation, "127.0.0.1", port)
    await stop.wait()
    server.close()


if __name__ == "__main__":
    asyncio.run(serve(pathlib.Path(sys.argv[1]), int(sys.argv[2]), set(sys.argv[3:]) or MECHANISMS))
