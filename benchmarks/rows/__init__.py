"""The rows: one module for each kind of work, each a function from the stand to its records."""
