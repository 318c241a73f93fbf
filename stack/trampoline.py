"""Replaces itself with a server that dies with its supervisor and, when asked, has laid down root's rights.

Run by path as a script, with the standard library only. After a fork in the supervisor itself this work would be
unsafe (gRPC has threads), and without it a SIGKILL of the supervisor would orphan what it runs.
Arguments: PARENT_PID DEATH_SIGNAL UID GID OVERRIDE COMMAND...; a UID of -1 stays who we are.
"""

import ctypes
import os
import sys

_PR_SET_PDEATHSIG = 1
_PR_SET_KEEPCAPS = 8
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_CAP_DAC_OVERRIDE = 1
_CAPABILITY_VERSION_3 = 0x20080522


def main(arguments: list[str]) -> None:
    """Prepares this process as the arguments say and becomes COMMAND. Exits with 127 when that cannot be run."""
    parent, death_signal, uid, gid, override = (int(argument) for argument in arguments[:5])
    command = arguments[5:]
    if uid >= 0:
        _become(uid, gid, bool(override))
    if sys.platform == "linux":
        # After setuid, which clears it.
        _prctl(_PR_SET_PDEATHSIG, death_signal)
        if os.getppid() != parent:
            sys.exit("The supervisor has ended.")
    try:
        os.execvp(command[0], command)
    except OSError as error:
        sys.stderr.write(f"{command[0]} cannot be run: {error.strerror}.\n")
        sys.exit(127)


def _become(uid: int, gid: int, override: bool) -> None:
    if override:
        _prctl(_PR_SET_KEEPCAPS, 1)
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    if override:
        _keep_file_access()


def _keep_file_access() -> None:
    """Keeps the one right of root that lets a server reach files below a directory that is root's alone, such as a
    checkout in root's home. Opening that directory to everybody instead would outlive us."""
    mask = 1 << _CAP_DAC_OVERRIDE
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    data = (ctypes.c_uint32 * 6)(mask, mask, mask, 0, 0, 0)
    _checked(ctypes.CDLL(None, use_errno=True).capset(header, data))
    _prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_OVERRIDE)


def _prctl(option: int, *values: int) -> None:
    padded = [ctypes.c_ulong(value) for value in (*values, 0, 0, 0, 0)][:4]
    _checked(ctypes.CDLL(None, use_errno=True).prctl(option, *padded))


def _checked(result: int) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


if __name__ == "__main__":
    main(sys.argv[1:])
