//! What the toolchain makes of the WIT packages, and `conversions` of the domain's records; nothing else knows it.

// The newest version: its types are ours, and plugins of older versions are spoken to through them.
wasmtime::component::bindgen!({
    path: "../wit/v0.2",
    world: "policy",
    ownership: Borrowing { duplicate_if_necessary: true },
    exports: { default: async },
});

/// Version 0.1: the same types, under another name; it cannot explain itself.
pub(super) mod v0_1 {
    wasmtime::component::bindgen!({
        path: "../wit/v0.1",
        world: "policy",
        ownership: Borrowing { duplicate_if_necessary: true },
        exports: { default: async },
        with: { "switchyard:policy/types": super::switchyard::policy::types },
    });
}
