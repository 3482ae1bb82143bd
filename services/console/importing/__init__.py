"""`duban import FILE --mapping MAP.yaml`: cases that another system handled, or still handles, come in whole."""
