//! The binary: everything is in the library, but how the process keeps its memory.

use std::process::ExitCode;

fn main() -> ExitCode {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    share_memory();
    switchyard::cli::run()
}

/// glibc keeps what was freed in arenas, up to eight for each core, and no thread uses those of others: with the compiler
/// of plugins on some threads and the store on another, half of the process would be such memory. One for each core is
/// enough, for most of what is allocated is small and comes from a cache of the thread's own.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(
    unsafe_code,
    reason = "glibc has no other way to be told, and an environment variable would be somebody else's"
)]
fn share_memory() {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let arenas = i32::try_from(cores).unwrap_or(i32::MAX);
    // SAFETY: it takes two numbers, and there is no second thread yet. When it refuses them, everything is as it was.
    unsafe { libc::mallopt(libc::M_ARENA_MAX, arenas) };
}
