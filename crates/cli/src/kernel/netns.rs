//! Network namespaces without names: they live as long as somebody holds them, so that nothing is left behind however
//! the recorder ends.

use nix::sched::{CloneFlags, setns, unshare};
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;

/// A network namespace, held open.
pub(crate) struct Netns {
    file: File,
}

impl Netns {
    /// Makes a fresh one and moves the calling thread into it (`unshare(CLONE_NEWNET)`).
    ///
    /// # Errors
    /// `EPERM` without CAP_SYS_ADMIN.
    pub(crate) fn create() -> io::Result<Netns> {
        unshare(CloneFlags::CLONE_NEWNET)?;
        Ok(Netns { file: File::open("/proc/thread-self/ns/net")? })
    }

    /// Moves the calling thread, and so every process that it starts from now on, into the namespace.
    pub(crate) fn enter(&self) -> io::Result<()> {
        Ok(setns(&self.file, CloneFlags::CLONE_NEWNET)?)
    }

    /// A path by which `ip` finds it.
    pub(crate) fn path(&self) -> String {
        format!("/proc/{}/fd/{}", std::process::id(), self.file.as_raw_fd())
    }
}
