"""Tables of README and docs, from results files: `python -m benchmarks.tables`."""
