//! File descriptors: as many as the system lets the host have, for each connection takes one.

/// What is taken to be there where the system does not say.
#[cfg(not(unix))]
const USUAL: u64 = 1_024;

/// Raises what the host may have open to what it could have, and answers how much that is.
#[cfg(unix)]
pub(super) fn raise() -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    /// More would only make room for more connections that say nothing.
    const ENOUGH: u64 = 65_536;
    let limits = getrlimit(Resource::Nofile);
    let own = limits.current.unwrap_or(ENOUGH);
    let wanted = limits.maximum.unwrap_or(ENOUGH).min(ENOUGH);
    if wanted <= own {
        return own;
    }
    match setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum: limits.maximum }) {
        Ok(()) => wanted,
        Err(error) => {
            tracing::warn!(%error, own, "the limit of file descriptors cannot be raised");
            own
        }
    }
}

/// Raises what the host may have open to what it could have, and answers how much that is.
#[cfg(not(unix))]
pub(super) fn raise() -> u64 {
    USUAL
}

#[cfg(all(test, unix))]
mod tests {
    use rustix::process::{Resource, getrlimit};

    #[test]
    fn the_soft_limit_is_the_hard_one_or_enough() {
        let may = super::raise();
        let limits = getrlimit(Resource::Nofile);
        assert_eq!(limits.current, Some(may));
        assert!(may >= 65_536 || limits.maximum == Some(may), "{limits:?}");
    }
}
