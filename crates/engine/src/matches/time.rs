//! `-m time`: the wall clock (net/netfilter/xt_time.c:time_mt).

/// `-m time`, `struct xt_time_info`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TimeMatch {
    /// `--datestart` in seconds since 1970 (UTC); 0: not given.
    pub date_start: u32,
    /// `--datestop`; `i32::MAX`: not given.
    pub date_stop: u32,
    /// `--timestart` in seconds since midnight.
    pub daytime_start: u32,
    /// `--timestop`; 86399: not given.
    pub daytime_stop: u32,
    /// `--monthdays`: bit 1 to 31; `0xffff_fffe`: all.
    pub monthdays: u32,
    /// `--weekdays`: bit 1 Monday to 7 Sunday; `0xfe`: all.
    pub weekdays: u8,
    /// `--kerneltz`.
    pub kernel_tz: bool,
    /// `--contiguous`.
    pub contiguous: bool,
    /// `--weekdays` was written with `!` and the mask holds what remains.
    pub weekdays_not: bool,
    /// `--monthdays` was written with `!` and the mask holds what remains.
    pub monthdays_not: bool,
}
