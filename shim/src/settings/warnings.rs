//! Warnings about valid but probably unintended settings.

use shim_upstream::{Access, BaseUrl};

use super::{
    Config, SANDBOX_KEY, SANDBOX_SECRET, ShadowConfig, Source, StateUrl, TlsConfig, V2Config,
};

impl Config {
    /// Warnings for `serve` to log and `check-config` to print. Reads certificates and file
    /// permissions, but uses no network.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if let Source::V2(v2) = &self.source {
            warnings.extend(v2.warnings());
        }
        if !self.unused.is_empty() {
            let unused = self.unused.iter().map(String::as_str).collect::<Vec<_>>();
            warnings.push(format!(
                "no effect with --sandbox or --replay: {}; programs send api_key {SANDBOX_KEY} and \
                 api_secret {SANDBOX_SECRET}",
                unused.join(", ")
            ));
        }
        if self.shadow.as_ref().is_some_and(ShadowConfig::is_exposed) {
            let text = "shadow.url is http: credentials and users can be read on the way to it";
            warnings.push(text.to_owned());
        }
        let tls = self.tls.iter().flat_map(TlsConfig::warnings);
        warnings.extend(tls.map(|warning| format!("tls: {warning}")));
        warnings.extend(self.notification_warning().map(str::to_owned));
        warnings
    }

    /// Notifications that would be lost, and receivers without a sender.
    fn notification_warning(&self) -> Option<&'static str> {
        match (&self.webhooks, self.receivers.as_slice()) {
            (Some(_), []) => Some("webhooks are taken, but there is no [[receiver]] to push to"),
            (None, [_, ..]) => Some("there is a [[receiver]], but webhooks.listen is not set"),
            (Some(_), _) if self.state.url == StateUrl::Memory => Some(
                "notifications are queued in memory: a restart loses them; set state.url, as \
                 sqlite:state.sqlite",
            ),
            _ => None,
        }
    }
}

impl V2Config {
    fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.is_exposed() {
            let text = "upstream.url is http: tokens and passwords can be read on the way to v2";
            warnings.push(text.to_owned());
        }
        let is_exposed = |access: &Access| match access {
            Access::OAuth(oauth) => BaseUrl::parse(oauth.url.as_str())
                .is_ok_and(|url| url.is_plain() && !url.is_loopback()),
            Access::Token(_) => false,
        };
        if self.tenants.iter().any(|tenant| is_exposed(&tenant.access)) {
            let text = "oauth_url is http: the client secret can be read on the way to it";
            warnings.push(text.to_owned());
        }
        warnings
    }
}
