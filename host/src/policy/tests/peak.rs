//! The most memory that the whole process had.

/// Measures from its start on.
pub(super) struct Peak {
    before_bytes: u64,
}

impl Peak {
    pub(super) fn start() -> Self {
        // Sets the peak back to what there is now.
        std::fs::write("/proc/self/clear_refs", "5").expect("Linux");
        Self { before_bytes: status_bytes("VmRSS:") }
    }

    /// Above what there was at the start.
    pub(super) fn bytes(&self) -> u64 {
        status_bytes("VmHWM:").saturating_sub(self.before_bytes)
    }
}

fn status_bytes(key: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix(key)).expect("a line of it");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") * 1024
}
