//! Memory of the process.

/// Begins to watch the largest resident size from now on, where the system can do that (Linux); elsewhere it is that since the start.
pub(super) fn restart() {
    // 5 resets the high-water mark; without the right to do so it stays what it is.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

/// Largest resident size of the process, bytes.
pub(super) fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok();
    status.as_deref().and_then(high_water).or_else(usage)
}

/// `VmHWM` in `/proc/self/status`.
fn high_water(status: &str) -> Option<u64> {
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib << 10)
}

#[cfg(unix)]
fn usage() -> Option<u64> {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the call fills in plain data for which zeros are valid.
    let usage = unsafe {
        if libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr()) != 0 {
            return None;
        }
        usage.assume_init()
    };
    // In KiB, on Apple's systems in bytes.
    let unit = if cfg!(target_vendor = "apple") { 1 } else { 1024 };
    u64::try_from(usage.ru_maxrss).ok().filter(|&size| size > 0).map(|size| size * unit)
}

#[cfg(not(unix))]
fn usage() -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_high_water_mark_is_read_in_kib() {
        let status = "Name:\tx\nVmHWM:\t   2048 kB\nVmRSS:\t 100 kB\n";
        assert_eq!(high_water(status), Some(2 << 20));
        assert_eq!(high_water("VmRSS: 5 kB"), None);
    }

    #[test]
    #[cfg(unix)]
    fn this_process_takes_memory() {
        assert!(peak().is_some_and(|size| size > 1 << 20));
        assert!(usage().is_some_and(|size| size > 1 << 20));
    }
}
