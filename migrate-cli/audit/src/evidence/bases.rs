//! Base URLs that only the whole file reveals.

use crate::{
    facts::{
        FileFacts,
        shape::Shape,
        syntax::{Role, Usage},
    },
    names::last_identifier,
    rules::{Rules, has},
};

/// Maximum distance of a version from its host, in lines.
const NEAR: usize = 25;

/// Marks the base URL of Zoom's browser SDK: `Zoom.init("https://www.zoom.us/api/v1")`.
pub(super) fn mark_browser_sdk(file: &mut FileFacts, rules: &Rules) {
    for signal in &mut file.signals {
        let callee = signal.text.callee.as_deref().unwrap_or_default();
        if signal.shape == Shape::Base && has(&rules.words.browser_sdk, callee) {
            signal.shape = Shape::BrowserSdk;
        }
    }
}

/// Turns hosts into base URLs, for programs whose paths contain the version.
pub(super) fn promote_hosts(file: &mut FileFacts) {
    for signal in &mut file.signals {
        let plain = signal.text.role == Role::Value && signal.text.usage == Usage::Plain;
        if signal.shape == Shape::Host && plain {
            signal.shape = Shape::Base;
        }
    }
}

/// Turns a version close to its host into a base URL: `HOST = "api.zoom.us"`, `PATH = "/v1"`.
pub(super) fn join_split_bases(file: &mut FileFacts, rules: &Rules) {
    let hosts: Vec<usize> = file
        .signals
        .iter()
        .filter(|signal| signal.shape == Shape::Host && signal.text.role == Role::Value)
        .map(|signal| signal.place.line)
        .collect();
    if hosts.is_empty() {
        return;
    }
    for signal in &mut file.signals {
        if signal.shape != Shape::Version || signal.text.role != Role::Value {
            continue;
        }
        let near = hosts
            .iter()
            .any(|line| line.abs_diff(signal.place.line) <= NEAR);
        let named = signal.text.target.as_deref().is_some_and(|target| {
            let lower = last_identifier(target).to_ascii_lowercase();
            rules
                .words
                .bases
                .iter()
                .any(|word| lower.contains(word.as_str()))
        });
        let plain = matches!(signal.text.usage, Usage::Plain);
        if near && plain && (named || signal.text.callee.is_some() || signal.text.element.is_some())
        {
            signal.shape = Shape::Base;
        }
    }
}
