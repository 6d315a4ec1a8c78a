//! The one time limit that a whole dial shares between its stages.
//! It must not know what the stages do; each names the fault that its own lateness is.

use std::time::Duration;

use tokio::time::Instant;

#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline {
    started: Instant,
    limit: Duration,
}

impl Deadline {
    pub(super) fn start(limit: Duration) -> Self {
        Self { started: Instant::now(), limit }
    }

    pub(super) fn limit(self) -> Duration {
        self.limit
    }

    pub(super) fn left(self) -> Duration {
        self.limit.saturating_sub(self.started.elapsed())
    }

    /// Runs one stage within what is left; `late` makes the fault of having taken the whole limit.
    pub(super) async fn bound<T, E>(
        self,
        stage: impl Future<Output = T>,
        late: impl FnOnce(Duration) -> E,
    ) -> Result<T, E> {
        tokio::time::timeout(self.left(), stage).await.map_err(|_| late(self.limit))
    }
}
