"""Real processes are broken under load, and what is left is compared with what must be."""

OFFICE = "office"
"""In whose name the tests ask: it may see every entry."""
