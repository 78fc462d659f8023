"""The system calls that a sandbox may not make, as a filter for bubblewrap.

What is refused has no use in a notebook and has often been the way out: new namespaces, mounts, tracing other
processes, kernel modules, keys, programs inside the kernel. Everything else is bounded by the sandbox's walls. The
filter is made by libseccomp, which Linux systems have.
"""

import ctypes
import errno
import os

REFUSED = """
    mount umount2 pivot_root chroot move_mount open_tree fsopen fsconfig fsmount fspick mount_setattr setns unshare
    ptrace process_vm_readv process_vm_writev pidfd_getfd kcmp process_madvise
    bpf perf_event_open userfaultfd io_uring_setup io_uring_enter io_uring_register
    keyctl add_key request_key init_module finit_module delete_module kexec_load kexec_file_load reboot
    open_by_handle_at name_to_handle_at acct quotactl swapon swapoff syslog personality
    memfd_create memfd_secret shmget shmat msgget semget mq_open vmsplice
    settimeofday clock_settime clock_adjtime adjtimex sethostname setdomainname vhangup modify_ldt
"""
"""They fail with EPERM; so does memory that belongs to no process and no folder, since nothing would bound it. `clone3`
fails with ENOSYS: the C library then falls back to `clone`, whose flags are read."""

NAMESPACES = 0x7E020000
"""The flags of `clone` that make new namespaces."""

FAMILIES = {1, 16}
"""Of sockets that can be made: of this machine, netlink. Network namespaces keep these inside; others (of the host of a
virtual machine, for one) they may not, and IP has buffers that grow as it pleases."""

BUFFERS = {7: "SO_SNDBUF", 8: "SO_RCVBUF", 32: "SO_SNDBUFFORCE", 33: "SO_RCVBUFFORCE"}
"""The options of a socket that make its buffers larger: their memory belongs to no process."""

SHARED = 1
"""The flag of `mmap` for memory that processes share. It stays when none of them shows it any more."""

INT = 0xFFFFFFFF
"""What the kernel reads of an argument that is an int."""

ALLOW, REFUSE = 0x7FFF0000, 0x00050000
EQUAL, GREATER, EQUAL_MASKED = 4, 6, 7
"""Of libseccomp: what a filter does with a call, and how an argument is compared."""


class _Argument(ctypes.Structure):
    _fields_ = (("arg", ctypes.c_uint), ("op", ctypes.c_int), ("mask", ctypes.c_uint64), ("value", ctypes.c_uint64))


def library() -> ctypes.CDLL:
    """libseccomp. Raises OSError if the system has none."""
    seccomp = ctypes.CDLL("libseccomp.so.2", use_errno=True)
    seccomp.seccomp_init.restype = ctypes.c_void_p
    seccomp.seccomp_init.argtypes = [ctypes.c_uint32]
    seccomp.seccomp_syscall_resolve_name.argtypes = [ctypes.c_char_p]
    seccomp.seccomp_export_bpf.argtypes = [ctypes.c_void_p, ctypes.c_int]
    seccomp.seccomp_release.argtypes = [ctypes.c_void_p]
    seccomp.seccomp_rule_add_array.argtypes = [
        ctypes.c_void_p,
        ctypes.c_uint32,
        ctypes.c_int,
        ctypes.c_uint,
        ctypes.POINTER(_Argument),
    ]
    return seccomp


def program() -> int:
    """The compiled filter, as an open file in memory, at its beginning. Raises OSError without libseccomp."""
    seccomp = library()
    rules = seccomp.seccomp_init(ALLOW)
    try:
        for name in REFUSED.split():
            _refuse(seccomp, rules, name, errno.EPERM)
        _refuse(seccomp, rules, "clone3", errno.ENOSYS)
        for bit in (1 << k for k in range(32) if NAMESPACES & 1 << k):
            _refuse(seccomp, rules, "clone", errno.EPERM, _Argument(0, EQUAL_MASKED, bit, bit))
        for family in set(range(max(FAMILIES))) - FAMILIES:
            _refuse(seccomp, rules, "socket", errno.EPERM, _Argument(0, EQUAL, family, 0))
        _refuse(seccomp, rules, "socket", errno.EPERM, _Argument(0, GREATER, max(FAMILIES), 0))
        _refuse(seccomp, rules, "mmap", errno.EPERM, _Argument(3, EQUAL_MASKED, SHARED, SHARED))
        for option in BUFFERS:
            asked = _Argument(1, EQUAL_MASKED, INT, 1), _Argument(2, EQUAL_MASKED, INT, option)
            _refuse(seccomp, rules, "setsockopt", errno.EPERM, *asked)
        file = os.memfd_create("seccomp")
        if seccomp.seccomp_export_bpf(rules, file) != 0:
            os.close(file)
            raise OSError("libseccomp could not write its filter")
    finally:
        seccomp.seccomp_release(rules)
    os.lseek(file, 0, os.SEEK_SET)
    return file


def _refuse(seccomp: ctypes.CDLL, rules: int, name: str, error: int, *arguments: _Argument) -> None:
    """Let a call fail with an error, if its arguments are these; a call that the machine does not have is left out."""
    number = seccomp.seccomp_syscall_resolve_name(name.encode())
    if number < 0:
        return
    array = (_Argument * len(arguments))(*arguments)
    if seccomp.seccomp_rule_add_array(rules, REFUSE | error, number, len(arguments), array) != 0:
        raise OSError(f"libseccomp refused the rule for {name}")
