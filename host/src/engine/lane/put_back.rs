//! An entry of the quarantine goes back under its key while no turn is on its way, and is read again.

use super::Lane;
use crate::engine::command::PutBack;

impl Lane {
    /// Puts an entry back; what it leads to is taken up by the turn that follows.
    pub(super) async fn put_back(&mut self, asked: PutBack) {
        let PutBack { entry, action, reply } = asked;
        let mut state = self.state.clone();
        let done = self.writer.put_back(&entry, action.as_ref(), &mut state).await;
        if done.is_ok() {
            self.state = state;
            self.backlog.forget();
            if entry.key.starts_with("inbox/") {
                self.parts.inbound.arrives();
                self.unmerged = true;
            }
            self.report();
        }
        // Whoever asked may have gone.
        let _ = reply.send(done.map_err(Into::into));
    }
}
