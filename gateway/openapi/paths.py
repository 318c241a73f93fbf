"""Path templates as OpenAPI writes them: one parameter a wildcard, since OpenAPI lets no parameter span segments."""

import re
from collections import Counter
from dataclasses import dataclass

from gateway.template import Template, Variable, Wildcard

_PARAMETER = re.compile(r"\{[^}]*\}")


@dataclass(frozen=True, slots=True)
class PathParameter:
    """A wildcard of a template: its name in the document, and the variable that it is all of, if it is."""

    name: str
    variable: Variable | None


def parameters_of(template: Template) -> list[PathParameter]:
    """One parameter for every wildcard, in order, named by its field where that is clear."""
    names = Counter(_short(variable) for variable in template.variables)
    parameters: list[PathParameter] = []
    for position, segment in enumerate(template.segments):
        if not isinstance(segment, Wildcard):
            continue
        variable = _variable_at(template, position)
        if variable is None:
            parameters.append(PathParameter(f"segment_{position + 1}", None))
            continue
        name = _short(variable) if names[_short(variable)] == 1 else variable.field_path
        wildcards = [part for part in variable.segments if isinstance(part, Wildcard)]
        if len(wildcards) > 1:
            name = f"{name}_{sum(other.name.startswith(f'{name}_') for other in parameters) + 1}"
        parameters.append(PathParameter(name, variable if len(variable.segments) == 1 else None))
    return parameters


def path_of(template: Template, names: list[str]) -> str:
    """The path with its parameters named."""
    left = iter(names)
    segments = [f"{{{next(left)}}}" if isinstance(part, Wildcard) else part for part in template.segments]
    return f"/{'/'.join(segments)}{f':{template.verb}' if template.verb else ''}"


def shape_of(path: str) -> str:
    """What two paths have in common that differ in the names of parameters only."""
    return _PARAMETER.sub("{}", path)


def _variable_at(template: Template, position: int) -> Variable | None:
    for variable in template.variables:
        if variable.start <= position and (variable.stop is None or position < variable.stop):
            return variable
    return None


def _short(variable: Variable) -> str:
    return variable.field_path.rpartition(".")[2]
