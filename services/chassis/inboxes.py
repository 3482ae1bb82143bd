"""Everybody's answers come to an inbox of their own, which NATS lets nobody else read."""

from urllib.parse import urlsplit


def inbox_of(url: str) -> str:
    """The inbox prefix that belongs to the user in a NATS URL; the common one where there is no user."""
    user = urlsplit(url).username
    return f"_INBOX.{user}" if user else "_INBOX"
