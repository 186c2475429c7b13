//! A snapshot: a component made of a configured instance, with its memory as configuring left it.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use wasmtime::Store;
use wasmtime::component::{ComponentNamedList, Instance, InstancePre, Lift, WasmList};
use wasmtime_wizer::{ComponentInstanceState, Wizer};

use super::guest::Guest;
use super::plugin::{PARTS, Plugin, on_one_line};
use super::sandbox::Sandbox;

/// Makes a component of a configured instance.
///
/// # Errors
/// When the instance holds what no component can begin with; the words are for the policy's status.
pub(super) async fn take(
    sandbox: &Sandbox,
    plugin: &Plugin,
    mut store: Store<Guest>,
    instance: Instance,
) -> Result<InstancePre<Guest>, String> {
    if !store.data().table.is_empty() {
        return Err("it keeps WASI resources open, which do not survive freezing".into());
    }
    let wizer = Wizer::new();
    // The context borrows from the bytes, so it cannot be kept; making it again costs a fiftieth of compiling.
    let (context, _) = wizer.instrument_component(&plugin.bytes).map_err(|error| on_one_line(&error))?;
    // What runs from here on is Wizer's own.
    store.data_mut().limits.cap = usize::MAX;
    store.set_hostcall_fuel(usize::MAX);
    let mut state = State { store, instance, failed: None };
    // Wizer panics at what it did not expect.
    let snapshot = AssertUnwindSafe(wizer.snapshot_component(&context, &mut state)).catch_unwind().await;
    if let Some(error) = state.failed {
        return Err(format!("its memory cannot be read: {}", on_one_line(&error)));
    }
    let bytes = snapshot.map_err(|_| PARTS.to_owned())?.map_err(|error| on_one_line(&error))?;
    drop(state.store);
    sandbox.component(&bytes).and_then(|component| sandbox.link(&component)).map_err(|error| on_one_line(&error))
}

/// The instance, for Wizer to read its memory and its globals.
struct State {
    store: Store<Guest>,
    instance: Instance,
    /// Wizer has no way to be told of a failure.
    failed: Option<wasmtime::Error>,
}

impl State {
    async fn call<R, T>(&mut self, instance: &str, func: &str, read: impl FnOnce(&Store<Guest>, R) -> T) -> Option<T>
    where
        R: Lift + Send + Sync + 'static,
        (R,): ComponentNamedList + Lift,
    {
        match self.value(instance, func).await {
            Ok(value) => Some(read(&self.store, value)),
            Err(error) => {
                self.failed = Some(error);
                None
            }
        }
    }

    async fn value<R>(&mut self, instance: &str, func: &str) -> wasmtime::Result<R>
    where
        R: Lift + Send + Sync + 'static,
        (R,): ComponentNamedList + Lift,
    {
        let missing = || wasmtime::format_err!("{instance} has no {func}");
        let (_, at) = self.instance.get_export(&mut self.store, None, instance).ok_or_else(missing)?;
        let (_, at) = self.instance.get_export(&mut self.store, Some(&at), func).ok_or_else(missing)?;
        let func = self.instance.get_typed_func::<(), (R,)>(&mut self.store, at)?;
        let _running = self.store.data().ticks.run();
        self.store.data_mut().may_take(Duration::MAX);
        self.store.set_epoch_deadline(1);
        let called = func.call_async(&mut self.store, ()).await;
        // Between two calls it needs no slot.
        self.store.data().end();
        Ok(called?.0)
    }
}

impl ComponentInstanceState for State {
    async fn call_func_ret_list_u8(&mut self, instance: &str, func: &str, contents: impl FnOnce(&[u8]) + Send) {
        self.call(instance, func, |store, list: WasmList<u8>| contents(list.as_le_slice(store))).await;
    }

    async fn call_func_ret_s32(&mut self, instance: &str, func: &str) -> i32 {
        self.call(instance, func, |_, value| value).await.unwrap_or_default()
    }

    async fn call_func_ret_s64(&mut self, instance: &str, func: &str) -> i64 {
        self.call(instance, func, |_, value| value).await.unwrap_or_default()
    }

    async fn call_func_ret_f32(&mut self, instance: &str, func: &str) -> u32 {
        self.call(instance, func, |_, value: f32| value.to_bits()).await.unwrap_or_default()
    }

    async fn call_func_ret_f64(&mut self, instance: &str, func: &str) -> u64 {
        self.call(instance, func, |_, value: f64| value.to_bits()).await.unwrap_or_default()
    }
}
