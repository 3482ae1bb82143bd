"""Addresses of NATS as they may be shown."""


def without_password(url: str) -> str:
    """For messages: a credential in an address is nobody's to read."""
    scheme, separator, rest = url.rpartition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}"
