//! Text to values and back. What is typed into a lab is read here and acts on a [`Host`](hookwalk_engine::Host); what
//! the tools would print is written here, byte for byte.
//!
//! Read in this order: [`shell`] (words of a command line), [`command`] (which tool runs), then the tool that you look
//! for: [`iptables`], [`ip`], [`sysctl`], [`conntrack`], [`ipset`]. [`packet`] reads the packet lines of a lab, and
//! [`frames`] prints what travelled.

#[macro_use]
pub mod diagnostic;

pub mod command;
pub mod complete;
pub mod conntrack;
pub mod files;
pub mod frames;
pub mod ip;
pub mod ipset;
pub mod iptables;
pub mod klog;
pub mod names;
pub mod nft;
pub mod output;
pub mod packet;
pub mod shell;
pub mod ss;
pub mod sysctl;
pub mod tcpdump;
pub mod trace;

pub use diagnostic::Diagnostic;
pub use output::{Output, Refusal};
pub use shell::Word;
