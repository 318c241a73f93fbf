"""What a process of the stack is to its users. Light, so that commands which only look start at once."""

from enum import StrEnum


class Status(StrEnum):
    """What a process is to its users."""

    WAITING = "waiting"
    STARTING = "starting"
    READY = "ready"
    UNREADY = "unready"
    RESTARTING = "restarting"
    STOPPED = "stopped"
