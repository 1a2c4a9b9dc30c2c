"""Benchmarks: each is a command that writes its figures into results/ (`scripts/bench NAME`)."""
