"""`duban demo`: the plan's spring of 2024 as a time-lapse through the real services."""
