//! How much memory a process has taken.

/// What the server may have taken after all of it: bodies of the largest size and what they inflate to
/// must not add up.
pub(crate) const BOUND: u64 = 256 << 20;

/// Returns the peak of resident memory in bytes; 0 where the system does not tell.
pub(crate) fn peak(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kibibytes.unwrap_or_default() << 10
}
