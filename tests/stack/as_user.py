"""`python as_user.py COMMAND...` becomes COMMAND as an ordinary user, for tests that run as root.

In a user namespace of its own, where root of the machine is user `nobody`: it owns what root owns and has no other
right of root. Where namespaces are forbidden, as `nobody` of the machine.
"""

import ctypes
import os
import pwd
import sys
from pathlib import Path

_CLONE_NEWUSER = 0x10000000


def main(command: list[str]) -> None:
    """Becomes the command."""
    nobody = pwd.getpwnam("nobody")
    if ctypes.CDLL(None).unshare(_CLONE_NEWUSER) == 0:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{nobody.pw_uid} 0 1")
        Path("/proc/self/gid_map").write_text(f"{nobody.pw_gid} 0 1")
    else:
        os.setgroups([])
        os.setgid(nobody.pw_gid)
        os.setuid(nobody.pw_uid)
    os.execv(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])
