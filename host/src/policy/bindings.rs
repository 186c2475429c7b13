//! What the toolchain makes of the WIT package; nothing in here leaves the room (see conversions).

wasmtime::component::bindgen!({
    path: "../wit/v0.1",
    world: "policy",
    ownership: Borrowing { duplicate_if_necessary: true },
    exports: { default: async },
});
