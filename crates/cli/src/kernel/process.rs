//! The real tools as processes: they run while the recorder goes on serving, and end when it does.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::io::{self, Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Has somebody asked the recorder to end (SIGINT, SIGTERM)?
#[derive(Clone, Default)]
pub(crate) struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Is set by the signals from now on.
    pub(crate) fn on_signals() -> io::Result<Stop> {
        let stop = Stop::default();
        for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
            signal_hook::flag::register(signal as i32, Arc::clone(&stop.0))?;
        }
        Ok(stop)
    }

    pub(crate) fn asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

type Reader = JoinHandle<io::Result<Vec<u8>>>;

/// A running tool. It is killed when nobody holds it any more.
pub(crate) struct Job {
    child: Child,
    stdout: Option<Reader>,
    stderr: Option<Reader>,
    stdin: Option<JoinHandle<()>>,
    status: Option<ExitStatus>,
}

fn read_all(mut from: impl Read + Send + 'static) -> Reader {
    std::thread::spawn(move || {
        let mut all = Vec::new();
        from.read_to_end(&mut all)?;
        Ok(all)
    })
}

fn text(reader: Option<Reader>) -> io::Result<String> {
    match reader.map(JoinHandle::join) {
        Some(Ok(bytes)) => Ok(String::from_utf8_lossy(&bytes?).into_owned()),
        _ => Ok(String::new()),
    }
}

impl Job {
    /// Starts a tool in the calling thread's namespace, in the C locale.
    pub(crate) fn start(words: &[&str], stdin: Option<&str>) -> io::Result<Job> {
        let (name, args) = words.split_first().ok_or(io::ErrorKind::InvalidInput)?;
        let mut child = Command::new(name)
            .args(args)
            .env("LC_ALL", "C")
            .env("TZ", "UTC")
            .stdin(if stdin.is_some() { Stdio::piped() } else { Stdio::null() })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|e| io::Error::new(e.kind(), format!("{name}: {e}")))?;
        let stdin = match (child.stdin.take(), stdin) {
            (Some(mut pipe), Some(text)) => {
                let text = text.to_string();
                // A tool that does not read its input to the end is no failure of ours.
                Some(std::thread::spawn(move || drop(pipe.write_all(text.as_bytes()))))
            }
            _ => None,
        };
        let stdout = child.stdout.take().map(read_all);
        let stderr = child.stderr.take().map(read_all);
        Ok(Job { child, stdout, stderr, stdin, status: None })
    }

    /// Has it ended?
    pub(crate) fn is_over(&mut self) -> io::Result<bool> {
        if self.status.is_none() {
            self.status = self.child.try_wait()?;
        }
        Ok(self.status.is_some())
    }

    /// Ends it at once.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// What it printed on both streams, and its exit status (128 + N for signal N).
    pub(crate) fn output(mut self) -> io::Result<(String, String, i32)> {
        use std::os::unix::process::ExitStatusExt;
        let status = match self.status {
            Some(status) => status,
            None => self.child.wait()?,
        };
        if let Some(writer) = self.stdin.take() {
            let _ = writer.join();
        }
        let stdout = text(self.stdout.take())?;
        let stderr = text(self.stderr.take())?;
        self.status = Some(status);
        Ok((stdout, stderr, status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))))
    }

    /// Ends it as control-C does, and gives what it printed.
    pub(crate) fn interrupt(mut self) -> io::Result<(String, String, i32)> {
        if !self.is_over()? {
            // What the kernel has told it is printed first.
            std::thread::sleep(Duration::from_millis(80));
            let _ = kill(Pid::from_raw(self.child.id() as i32), Signal::SIGINT);
        }
        self.output()
    }

    /// Waits until the tool has subscribed to events, when `before` sockets of its namespace had already: what happens
    /// earlier would be lost.
    pub(crate) fn wait_until_it_listens(&mut self, before: usize, limit: Duration) -> io::Result<()> {
        let begun = Instant::now();
        while !self.is_over()? && begun.elapsed() < limit && subscribers(self.child.id()) <= before {
            std::thread::sleep(Duration::from_millis(2));
        }
        Ok(())
    }

    /// Waits until the tool serves the port, or has failed to.
    pub(crate) fn wait_until_it_is_bound(&mut self, port: Option<u16>, limit: Duration) -> io::Result<()> {
        let begun = Instant::now();
        let bound = |pid| port.is_some_and(|port| is_bound(pid, port));
        while !self.is_over()? && begun.elapsed() < limit && !bound(self.child.id()) {
            std::thread::sleep(Duration::from_millis(2));
        }
        Ok(())
    }
}

/// Is a socket of a process's namespace bound to the port?
fn is_bound(pid: u32, port: u16) -> bool {
    let bound = format!(":{port:04X}");
    ["tcp", "tcp6", "udp", "udp6"].iter().any(|table| {
        let sockets = std::fs::read_to_string(format!("/proc/{pid}/net/{table}")).unwrap_or_default();
        sockets
            .lines()
            .any(|line| line.split_whitespace().nth(1).is_some_and(|local| local.ends_with(&bound)))
    })
}

/// Sockets that belong to a group of NETLINK_NETFILTER, in the namespace of a process.
fn subscribers(pid: u32) -> usize {
    const NETLINK_NETFILTER: &str = "12";
    let sockets = std::fs::read_to_string(format!("/proc/{pid}/net/netlink")).unwrap_or_default();
    // The columns: sk, protocol, port id, groups in hexadecimal, ...
    sockets
        .lines()
        .filter(|line| {
            let mut words = line.split_whitespace().skip(1);
            words.next() == Some(NETLINK_NETFILTER)
                && words.nth(1).is_some_and(|groups| groups.bytes().any(|b| b != b'0'))
        })
        .count()
}

impl Drop for Job {
    fn drop(&mut self) {
        if self.status.is_none() {
            self.kill();
        }
    }
}
