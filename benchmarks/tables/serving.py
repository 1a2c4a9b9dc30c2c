"""The table of the service under load and faults."""

from typing import Any

from benchmarks.results import read_runs
from benchmarks.tables.markdown import markdown, source_line, unmeasured


def serving_table() -> str:
    """Return what the service does under each load."""
    runs = read_runs("serving")
    if not runs:
        return unmeasured("serving")
    parts = {run["part"]: run for run in runs}
    ends = [run for run in runs if run["part"] == "end"]
    rows = [
        capacity_row(parts["capacity"]),
        overload_row(parts["overload"]),
        slow_row(parts["slow clients"]),
        ends_row(ends),
    ]
    return markdown(["what", "measured"], rows) + source_line("serving")


def capacity_row(run: dict[str, Any]) -> list[str]:
    """Return the row of what the service can do."""
    return [
        "requests a second, each of a drawn digit",
        f"{run['requests_a_second']:,.0f}, half of them in {run['p50_ms']:.0f} ms, "
        f"99 % in {run['p99_ms']:.0f} ms",
    ]


def overload_row(run: dict[str, Any]) -> list[str]:
    """Return the row of ten times that."""
    share = run["served_share_of_capacity"]
    grown = run["memory_after_mb"] - run["memory_before_mb"]
    offered = run["offered_a_second"]
    return [
        f"ten times that for {run['seconds']:.0f} s ({offered:,.0f} a second)",
        f"{share:.0%} of it served, {run['refused']:,} refused with 429 (99 % in "
        f"{run['refused_p99_ms']:.0f} ms), {run['server_errors']} server errors, "
        f"{run['lost']} lost, memory {run['memory_before_mb']:.0f} MB {grown:+.0f} MB; then at "
        f"once as before ({run['normal_again_refused']} refused)",
    ]


def slow_row(run: dict[str, Any]) -> list[str]:
    """Return the row of slow clients."""
    return [
        f"{run['connections']} connections that send a byte a second",
        f"{run['closed']} closed within {run['closed_after_most_s']:.1f} s; others' 99 % in "
        f"{run['ratio']:.2f} of the time that they take alone",
    ]


def ends_row(runs: list[dict[str, Any]]) -> list[str]:
    """Return the row of services that were told to end under load."""
    peaceful = sum(run["exit_code"] == 0 and run["lost"] == 0 for run in runs)
    return [
        "services ended by SIGTERM under load with exit code 0 and no accepted request lost",
        f"{peaceful} of {len(runs)}, within {max(run['seconds'] for run in runs):.1f} s",
    ]
