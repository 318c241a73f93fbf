"""Accept headers: what a client takes, and how gladly (RFC 9110 section 12.4.2)."""


def qualities(header: bytes) -> dict[str, float]:
    """The names of a list, in lower case and in its order, with their qualities; one that is malformed counts 0."""
    taken: dict[str, float] = {}
    for item in header.decode("latin-1").lower().split(","):
        name, *parameters = (part.strip() for part in item.split(";"))
        taken[name] = max(taken.get(name, 0.0), _quality(parameters))
    return taken


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                return float(parameter[2:])
            except ValueError:
                return 0.0
    return 1.0
