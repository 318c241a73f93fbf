"""Lets the message classes of a registry go, which otherwise stay for good."""

from protobuf import DescMessage, Registry


def forget(registry: Registry) -> None:
    """Called when a registry and its messages are no longer used. A class of protobuf-py 0.7 has a marshaler in Rust,
    which refers to the class in a way that Python's garbage collector does not see: a small contract costs 1 MB each
    time that it is loaded."""
    for descriptor in registry:
        kind = getattr(descriptor, "_type", None) if isinstance(descriptor, DescMessage) else None
        if kind is not None and "_ext_marshaler" in vars(kind):
            delattr(kind, "_ext_marshaler")
