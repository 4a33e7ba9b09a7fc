//! One process of a fleet.

use std::process::{Child, Command};

/// A running process of the service.
pub struct Member {
    /// Its program.
    pub program: &'static str,
    /// Where health and metrics answer.
    pub health: String,
    pub(super) child: Child,
}

impl Member {
    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal, such as `KILL`.
    pub fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        Command::new("kill").args([&format!("-{name}"), &id]).status().unwrap();
    }

    /// Asks it to end; answers with whether it did so in order.
    pub fn end(self) -> bool {
        self.signal("TERM");
        self.ended()
    }

    /// Waits until it has ended; answers with whether it did so in order.
    pub fn ended(mut self) -> bool {
        self.child.wait().unwrap().success()
    }

    /// Ends it without asking.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Whether it still runs.
    pub fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }
}
