//! `-m time`: the wall clock (net/netfilter/xt_time.c:time_mt).

use super::{MatchCx, Matched};

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

const DAY: i64 = 86_400;
/// No `--monthdays`.
const ALL_MONTHDAYS: u32 = 0xffff_fffe;

impl TimeMatch {
    /// Compares the host's wall clock; where the run was not told what time it is, nobody knows. The kernel's time
    /// zone is UTC.
    pub fn test(&self, cx: &MatchCx<'_>) -> Matched {
        match cx.net.wall_clock {
            Some(start) => self.holds(start.saturating_add(cx.net.now.as_secs() as i64)).into(),
            None => Matched::NotSimulated,
        }
    }

    /// Does it hold at this many seconds since 1970?
    pub fn holds(&self, mut stamp: i64) -> bool {
        if stamp < i64::from(self.date_start) || stamp > i64::from(self.date_stop) {
            return false;
        }
        let second = stamp.rem_euclid(DAY);
        let (start, stop) = (i64::from(self.daytime_start), i64::from(self.daytime_stop));
        if start < stop {
            if second < start || second > stop {
                return false;
            }
        } else {
            if second < start && second > stop {
                return false;
            }
            // After midnight it is still the evening's window.
            if self.contiguous && second <= stop {
                stamp -= DAY;
            }
        }
        let days = stamp.div_euclid(DAY);
        // 1970-01-01 was a Thursday; Monday is 1, Sunday 7.
        let weekday = (days + 3).rem_euclid(7) + 1;
        if self.weekdays & (1 << weekday) == 0 {
            return false;
        }
        self.monthdays == ALL_MONTHDAYS || self.monthdays & (1 << month_day(days)) != 0
    }
}

/// The day of the month, 1 to 31, of a day counted from 1970-01-01.
fn month_day(days: i64) -> u32 {
    // Counted from 1 March of year 0, leap days come last and months have a regular length.
    let shifted = days + 719_468;
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    (of_year - (153 * month + 2) / 5 + 1) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_of_months() {
        // `date -u -d @N +%d` for the first second of each.
        for (days, day) in
            [(0, 1), (30, 31), (31, 1), (58, 28), (59, 1), (789, 29), (790, 1), (11_016, 29), (20_780, 23)]
        {
            assert_eq!(month_day(days), day, "day {days}");
        }
    }

    #[test]
    fn windows() {
        let any = TimeMatch {
            date_start: 0,
            date_stop: i32::MAX as u32,
            daytime_start: 0,
            daytime_stop: 86_399,
            monthdays: ALL_MONTHDAYS,
            weekdays: 0xfe,
            kernel_tz: false,
            contiguous: false,
            weekdays_not: false,
            monthdays_not: false,
        };
        // 2026-11-23 was a Monday.
        let monday = 20_780 * DAY;
        let night = TimeMatch { daytime_start: 82_800, daytime_stop: 3_600, weekdays: 1 << 1, ..any };
        assert!(any.holds(monday));
        assert!(night.holds(monday + 1_800));
        assert!(!night.holds(monday + 7_200));
        assert!(!night.holds(monday + DAY + 1_800));
        let contiguous = TimeMatch { contiguous: true, ..night };
        assert!(contiguous.holds(monday + DAY + 1_800));
        assert!(!contiguous.holds(monday + 1_800));
        assert!(!TimeMatch { monthdays: 1 << 22, ..any }.holds(monday));
        assert!(TimeMatch { monthdays: 1 << 23, ..any }.holds(monday));
    }
}
