//! The binary: everything is in the library, but how the process keeps its memory.

use std::process::ExitCode;

fn main() -> ExitCode {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        share_memory();
        give_memory_back();
    }
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

/// What is freed between other things stays with the process unless glibc is told to look for it: a third of it after 100,000
/// conversations. Looking takes milliseconds, so a minute lies between two looks.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn give_memory_back() {
    let looking = std::thread::Builder::new().name("memory".to_owned()).spawn(|| {
        loop {
            std::thread::sleep(std::time::Duration::from_secs(60));
            #[expect(unsafe_code, reason = "glibc has no other way to be told")]
            // SAFETY: it may be called at any time and from any thread; it moves nothing that is in use.
            unsafe {
                libc::malloc_trim(0)
            };
        }
    });
    // Without it, the process is larger and works all the same.
    drop(looking);
}
