"""Seccomp: system calls that no decoder needs, refused by the kernel before they do anything.

A list of what is refused and not of what is allowed: ONNX Runtime, FFmpeg, tesseract and glibc change which calls they make
from version to version, and a list of those breaks at an upgrade. What is refused: all that reaches other processes, the
network, name spaces, the kernel itself, and what Landlock does not see (modes, owners, times and attributes of files).

Source: Documentation/userspace-api/seccomp_filter.rst. Called while there is one thread.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from typing import Final

PR_SET_SECCOMP: Final = 22
MODE_FILTER: Final = 2
KILL_PROCESS: Final = 0x80000000
ERRNO: Final = 0x00050000
ALLOW: Final = 0x7FFF0000

LOAD: Final = 0x20  # BPF_LD | BPF_W | BPF_ABS: a word of struct seccomp_data
EQUAL: Final = 0x15  # BPF_JMP | BPF_JEQ | BPF_K
AT_LEAST: Final = 0x35  # BPF_JMP | BPF_JGE | BPF_K
ANY_BIT: Final = 0x45  # BPF_JMP | BPF_JSET | BPF_K
RETURN: Final = 0x06
NUMBER, ARCHITECTURE, FIRST_ARGUMENT = 0, 4, 16  # offsets in it; the low half of the argument
X32: Final = 0x40000000  # numbers of a second table on x86-64, that would go around this one

NEW_SPACES: Final = 0x7E020000 | 0x80
"""CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET, NEWTIME."""

MACHINES: Final = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}
"""AUDIT_ARCH of each machine, and its column below."""

REFUSED: Final[dict[str, tuple[int | None, int | None]]] = {
    # other processes: their memory, descriptors and signals
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "kcmp": (312, 272),
    "pidfd_getfd": (438, 438),
    "pidfd_send_signal": (424, 424),
    # the network, and services of this machine that listen at sockets; socketpair stays
    "socket": (41, 198),
    "connect": (42, 203),
    "bind": (49, 200),
    "listen": (50, 201),
    "accept": (43, 202),
    "accept4": (288, 242),
    # mounts, roots and name spaces
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "setns": (308, 268),
    "unshare": (272, 97),
    "move_mount": (429, 429),
    "open_tree": (428, 428),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    # files by a way that asks no directory on it
    "open_by_handle_at": (304, 265),
    "name_to_handle_at": (303, 264),
    "fanotify_init": (300, 262),
    # what Landlock does not see: modes, owners, times, attributes
    "chmod": (90, None),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "chown": (92, None),
    "fchown": (93, 55),
    "lchown": (94, None),
    "fchownat": (260, 54),
    "utime": (132, None),
    "utimes": (235, None),
    "futimesat": (261, None),
    "utimensat": (280, 88),
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    "setxattrat": (463, 463),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "fremovexattr": (199, 16),
    "removexattrat": (466, 466),
    # parts of the kernel that had holes of their own, and are for other programs
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "personality": (135, 92),
    "modify_ldt": (154, None),
    "lookup_dcookie": (212, 18),
    # the machine itself
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "reboot": (169, 142),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "acct": (163, 89),
    "quotactl": (179, 60),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "adjtimex": (159, 171),
    "clock_adjtime": (305, 266),
    "iopl": (172, None),
    "ioperm": (173, None),
    "syslog": (103, 116),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
}
"""Name -> number on x86-64 and on arm64."""
CLONE: Final = (56, 220)
CLONE3: Final = (435, 435)
"""Its flags lie behind a pointer that a filter cannot follow. "Not implemented" makes glibc call clone instead."""


def restrict() -> str | None:
    """Refuse these calls from now on, for good. Returns what the kernel lacks, in words; None for nothing.
    PR_SET_NO_NEW_PRIVS must be set."""
    machine = MACHINES.get(os.uname().machine)
    if machine is None:
        return f"no filter of system calls for {os.uname().machine}"
    program = _program(*machine)
    buffer = ctypes.create_string_buffer(program, len(program))
    # struct sock_fprog: a count and, aligned, a pointer
    filter_ = struct.pack("HxxxxxxQ", len(program) // 8, ctypes.addressof(buffer))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_SECCOMP, MODE_FILTER, filter_, 0, 0) != 0:
        return f"no filter of system calls ({os.strerror(ctypes.get_errno())})"
    return None


def _program(architecture: int, column: int) -> bytes:
    """The filter, as struct sock_filter."""
    numbers = [calls[column] for calls in REFUSED.values()]
    refused = [number for number in numbers if number is not None]
    steps: list[tuple[int, int, int, int]] = [
        (LOAD, 0, 0, ARCHITECTURE),
        (EQUAL, 1, 0, architecture),
        (RETURN, 0, 0, KILL_PROCESS),
        (LOAD, 0, 0, NUMBER),
        (AT_LEAST, 0, 1, X32),
        (RETURN, 0, 0, KILL_PROCESS),
        (EQUAL, 0, 1, CLONE3[column]),
        (RETURN, 0, 0, ERRNO | errno.ENOSYS),
    ]
    left = len(refused)
    for number in refused:  # each jumps over the rest, and over what follows up to the refusal
        steps.append((EQUAL, left + 3, 0, number))
        left -= 1
    steps += [
        (EQUAL, 0, 2, CLONE[column]),
        (LOAD, 0, 0, FIRST_ARGUMENT),
        (ANY_BIT, 1, 0, NEW_SPACES),
        (RETURN, 0, 0, ALLOW),
        (RETURN, 0, 0, ERRNO | errno.EPERM),
    ]
    return b"".join(struct.pack("HBBI", *step) for step in steps)
