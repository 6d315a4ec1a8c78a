//! The signals that the program hears: to stop, and to read its configuration anew. They are listened for from `new` on, so
//! that one that comes before the program waits for it is not lost, nor takes it down without a save.

#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

pub struct Signals {
    pub stop: Stop,
    pub hangup: Hangup,
}

impl Signals {
    pub fn new() -> std::io::Result<Self> {
        Ok(Self { stop: Stop::new()?, hangup: Hangup::new()? })
    }
}

/// SIGINT and SIGTERM.
pub struct Stop {
    #[cfg(unix)]
    interrupt: Signal,
    #[cfg(unix)]
    terminate: Signal,
}

#[cfg(unix)]
impl Stop {
    fn new() -> std::io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Answers the exit code by which a shell knows the signal.
    pub async fn next(&mut self) -> u8 {
        tokio::select! {
            _ = self.interrupt.recv() => 130,
            _ = self.terminate.recv() => 143,
        }
    }
}

#[cfg(not(unix))]
impl Stop {
    fn new() -> std::io::Result<Self> {
        Ok(Self {})
    }

    pub async fn next(&mut self) -> u8 {
        let _ = tokio::signal::ctrl_c().await;
        130
    }
}

/// SIGHUP; never where there is none.
pub struct Hangup {
    #[cfg(unix)]
    signal: Signal,
}

#[cfg(unix)]
impl Hangup {
    fn new() -> std::io::Result<Self> {
        Ok(Self { signal: signal(SignalKind::hangup())? })
    }

    pub async fn next(&mut self) {
        if self.signal.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(not(unix))]
impl Hangup {
    fn new() -> std::io::Result<Self> {
        Ok(Self {})
    }

    pub async fn next(&mut self) {
        std::future::pending::<()>().await;
    }
}
