"""YAML from strangers: the safe loader, behind a check of depth that its C composer does not make."""

from typing import Any

from asciiloom.piece import one_line

MAX_DEPTH = 100
MAX_SIZE = 4 << 20


class YamlError(ValueError):
    """The text is no YAML, or too much of it; the message says what."""


def load_yaml(text: str) -> Any:
    """The one document of ``text`` as plain Python values; raises ``YamlError``."""
    import yaml

    if len(text) > MAX_SIZE:
        raise YamlError(f"more than {MAX_SIZE >> 20} MiB of YAML")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    depth = 0
    try:
        # The parser works without recursion; the composer after it would overflow the C stack.
        for event in yaml.parse(text, Loader=loader):
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
            elif isinstance(event, yaml.AliasEvent):
                raise YamlError("aliases, which nothing read here needs")
            if depth > MAX_DEPTH:
                raise YamlError(f"nested deeper than {MAX_DEPTH}")
        return yaml.load(text, Loader=loader)
    except (yaml.YAMLError, RecursionError) as error:
        raise YamlError(one_line(error, 200) or "not YAML") from error
