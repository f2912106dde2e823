//! The signals that stop the process and that reload its settings.

use tokio::signal;

/// Resolves on Ctrl-C and on SIGTERM. They are listened for from the call on, not only once it is
/// waited for: whoever reads the banner may send one at once.
#[cfg(unix)]
pub(super) fn stop_signal() -> impl Future<Output = ()> {
    use signal::unix::{Signal, SignalKind, signal};

    async fn next(signals: Option<Signal>) {
        match signals {
            Some(mut signals) => {
                signals.recv().await;
            }
            None => std::future::pending().await,
        }
    }
    let interrupt = signal(SignalKind::interrupt()).ok();
    let terminate = signal(SignalKind::terminate()).ok();
    async {
        tokio::select! {
            () = next(interrupt) => {}
            () = next(terminate) => {}
        }
    }
}

/// Has a file that reaches its size limit (`ulimit -f`) fail as one on a full disk does: the default of
/// SIGXFSZ would end the process. The handler stays for the life of the process.
pub(super) fn survive_file_size_limit() {
    #[cfg(target_os = "linux")]
    {
        let number = rustix::process::Signal::XFSZ.as_raw();
        let _ = signal::unix::signal(signal::unix::SignalKind::from_raw(number));
    }
}

/// What tells the shim to reload: SIGHUP, where there are signals.
pub(super) struct ReloadSignals(#[cfg(unix)] Option<signal::unix::Signal>);

impl ReloadSignals {
    #[cfg(unix)]
    pub(super) async fn recv(&mut self) -> Option<()> {
        self.0.as_mut()?.recv().await
    }

    #[cfg(not(unix))]
    #[expect(clippy::unused_async, reason = "as it is where there are signals")]
    pub(super) async fn recv(&mut self) -> Option<()> {
        None
    }
}

#[cfg(unix)]
pub(super) fn reload_signals() -> ReloadSignals {
    let hangup = signal::unix::SignalKind::hangup();
    ReloadSignals(signal::unix::signal(hangup).ok())
}

#[cfg(not(unix))]
pub(super) fn reload_signals() -> ReloadSignals {
    ReloadSignals()
}

#[cfg(not(unix))]
pub(super) async fn stop_signal() {
    if signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
