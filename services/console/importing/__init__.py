"""`duban import FILE --mapping MAP.yaml`: another system's cases come in, each of them whole."""
