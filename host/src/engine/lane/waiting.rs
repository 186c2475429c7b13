//! A lane waits until there is something to do, and takes what woke it.

use super::{LANDED, Lane, TURN};

impl Lane {
    /// Returns when there is something to do.
    pub(super) async fn wait(&mut self) {
        let now = self.parts.shared.clock.now();
        let room = self.room(now);
        let busy = self.unmerged
            || self.went_back(now)
            || self.admission.incident.status != self.state.incident.status
            || !self.woken.landed.is_empty()
            || !self.woken.intents.is_empty()
            || self.backlog.wants_refill()
            || self.operates()
            || room.probe_by_call
            || (self.backlog.waits() && (room.places > 0 || self.parks()));
        let due = [self.backlog.next_due(), room.more_at].into_iter().flatten().min();
        let parts = &mut self.parts;
        let mut put_back = None;
        tokio::select! {
            biased;
            _ = parts.stopping.wait_for(|stopping| *stopping) => self.woken.stopping = true,
            Some(landed) = self.flights.next(), if !self.flights.is_empty() => self.woken.landed.push(landed),
            Some(intent) = self.intents.1.recv() => self.woken.intents.push(intent),
            Some(command) = parts.commands.recv() => self.woken.commands.push(command),
            Some(asked) = parts.put_backs.recv() => put_back = Some(asked),
            () = parts.inbound.arrived.notified() => self.unmerged = true,
            () = parts.shared.clock.sleep_until(due.unwrap_or_default()), if due.is_some() => {}
            () = std::future::ready(()), if busy => {}
        }
        if let Some(asked) = put_back {
            self.put_back(asked).await;
        }
        while self.woken.landed.len() < LANDED
            && let Some(landed) = self.flights.try_next()
        {
            self.woken.landed.push(landed);
        }
        while self.woken.intents.len() < TURN
            && let Ok(intent) = self.intents.1.try_recv()
        {
            self.woken.intents.push(intent);
        }
        while self.woken.commands.len() < TURN
            && let Ok(command) = self.parts.commands.try_recv()
        {
            self.woken.commands.push(command);
        }
    }
}
