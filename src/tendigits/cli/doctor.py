"""`tendigits doctor`: facts for a bug report."""

import typer


def doctor() -> None:
    """Print versions, threads, devices, data checksums and write access; exit 1 if any is wrong."""
    from tendigits.doctor import examine

    findings = examine()
    width = max(len(finding.name) for finding in findings)
    for finding in findings:
        mark = "ok " if finding.healthy else "BAD"
        print(f"{mark} {finding.name:<{width}}  {finding.value}")
    if not all(finding.healthy for finding in findings):
        raise typer.Exit(1)
