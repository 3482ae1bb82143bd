"""Addresses of NATS: what may be one, and as they may be shown."""

from urllib.parse import urlsplit

from services.console.i18n import _

SCHEMES = frozenset({"nats", "tls", "ws", "wss"})


def check_address(urls: str) -> None:
    """Raises ValueError, with a sentence, where no server can ever answer. Several stand between commas."""
    for url in urls.split(","):
        parts = urlsplit(url.strip() if "://" in url else f"nats://{url.strip()}")
        if parts.scheme not in SCHEMES:
            sentence = _("{address} is no address of NATS: it begins with {schemes}")
            known = ", ".join(f"{scheme}://" for scheme in sorted(SCHEMES))
            raise ValueError(sentence.format(address=without_password(url), schemes=known))
        try:
            named = bool(parts.hostname) and parts.port != 0
        except ValueError:  # a port that is no number up to 65535
            named = False
        if not named:
            sentence = _("{address} is no address of NATS: it is like {example}")
            example = "nats://127.0.0.1:4222"
            raise ValueError(sentence.format(address=without_password(url), example=example))


def without_password(url: str) -> str:
    """For messages: a credential in an address is nobody's to read."""
    scheme, separator, rest = url.rpartition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}"
