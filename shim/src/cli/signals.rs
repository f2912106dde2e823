//! Signals that stop the process or reload its settings.

use tokio::signal;

/// Resolves on Ctrl-C and SIGTERM. The handlers are installed by the call, not by the first poll,
/// because a signal may come as soon as the banner is printed.
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

/// Makes a write beyond the file size limit (`ulimit -f`) fail like a write to a full disk. By
/// default, SIGXFSZ would end the process. The handler stays installed.
pub(super) fn survive_file_size_limit() {
    #[cfg(target_os = "linux")]
    {
        let number = rustix::process::Signal::XFSZ.as_raw();
        let _ = signal::unix::signal(signal::unix::SignalKind::from_raw(number));
    }
}

/// Signals that reload the settings: SIGHUP, where it exists.
pub(super) struct ReloadSignals(#[cfg(unix)] Option<signal::unix::Signal>);

impl ReloadSignals {
    #[cfg(unix)]
    pub(super) async fn recv(&mut self) -> Option<()> {
        self.0.as_mut()?.recv().await
    }

    #[cfg(not(unix))]
    #[expect(clippy::unused_async, reason = "same signature as with signals")]
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
