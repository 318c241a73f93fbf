"""Everything by which a command of the stack can fail. Each message is a whole sentence for the person who asked.

StackError
├── DirectoryInUse   another stack has the data directory
├── NothingRuns      the command needs a running stack, or what a stack leaves behind
├── NotInstalled     a wheel or an account of the system is missing
├── StartFailed      a process does not start
└── CallFailed       a service refused an operator's call, or did not answer
"""


class StackError(Exception):
    """The command failed."""


class DirectoryInUse(StackError):
    """Another stack runs in this data directory."""


class NothingRuns(StackError):
    """No stack runs in this data directory."""


class NotInstalled(StackError):
    """Something that the embedded stack needs is not installed."""


class StartFailed(StackError):
    """A process does not start."""


class CallFailed(StackError):
    """A service refused the call. `elsewhere`: another service may know what this one does not; `understood`: this one
    knows at least the question."""

    def __init__(self, sentence: str, *, elsewhere: bool = False, understood: bool = True) -> None:
        super().__init__(sentence)
        self.elsewhere = elsewhere
        self.understood = understood
