"""`python -m benchmarks.tables`: fill in, or check, the tables of README and docs."""

from benchmarks.tables.documents import main

main()
