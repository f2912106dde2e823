//! Shared parts of all pages: head, navigation, tables and formats.

use std::time::Duration;

use axum::response::{Html, IntoResponse as _, Response};
use maud::{DOCTYPE, Markup, html};
use recording::{comparison::visible, moment};
use serde_json::Value;

use crate::clock::unix_millis;

/// Paths and names of the pages in the navigation.
const PAGES: [(&str, &str); 9] = [
    ("/ui", "Overview"),
    ("/ui/callers", "Callers"),
    ("/ui/traffic", "Traffic"),
    ("/ui/exchanges", "Exchanges"),
    ("/ui/losses", "Losses"),
    ("/ui/unfinished", "Unfinished"),
    ("/ui/differences", "Differences"),
    ("/ui/rollouts", "Rollouts"),
    ("/ui/deliveries", "Deliveries"),
];

/// Reload interval, in seconds.
const REFRESH: u32 = 10;

/// Limit of a text within a document, in characters.
const TEXT: usize = 2000;

/// Frame of a page.
pub(super) struct Page<'a> {
    title: &'a str,
    here: &'a str,
    /// `None` for a page that cannot reload itself.
    refreshes: Option<bool>,
}

impl<'a> Page<'a> {
    /// A page of the navigation; reloads itself if the query has `refresh`.
    pub(super) fn new(title: &'a str, here: &'a str, query: Option<&str>) -> Self {
        let reloads = query.is_some_and(|query| query.split('&').any(|part| part == "refresh"));
        Self {
            title,
            here,
            refreshes: Some(reloads),
        }
    }

    /// A page below one in the navigation.
    pub(super) fn below(title: &'a str, here: &'a str) -> Self {
        Self {
            title,
            here,
            refreshes: None,
        }
    }

    pub(super) fn show(&self, body: &Markup) -> Response {
        let query = if self.refreshes == Some(true) {
            "?refresh"
        } else {
            ""
        };
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    @if self.refreshes == Some(true) {
                        meta http-equiv="refresh" content=(REFRESH);
                    }
                    title { (visible(self.title)) " · shim" }
                    link rel="icon" href="/ui/icon.svg";
                    link rel="stylesheet" href="/ui/style.css";
                }
                body {
                    a.skip href="#content" { "Skip to content" }
                    header {
                        span.name { "shim" }
                        nav aria-label="Pages" {
                            ul {
                                @for (path, name) in PAGES {
                                    @let current = (path == self.here).then_some("page");
                                    li { a href={ (path) (query) } aria-current=[current] { (name) } }
                                }
                            }
                        }
                    }
                    main id="content" {
                        div.title {
                            h1 { (visible(self.title)) }
                            @match self.refreshes {
                                Some(true) => a.refresh href=(self.here) { "Stop reloading" },
                                Some(false) => a.refresh href={ (self.here) "?refresh" } {
                                    "Reload every " (REFRESH) " s"
                                },
                                None => {}
                            }
                        }
                        (body)
                    }
                    footer { p { "Generated " (time(unix_millis())) ". Nothing on these pages changes anything." } }
                }
            }
        };
        Html(page.into_string()).into_response()
    }
}

/// A table with a caption; on narrow screens its rows become blocks.
pub(super) fn table(caption: &str, columns: &[(&str, &str)], rows: &Markup) -> Markup {
    html! {
        table {
            caption { (caption) }
            thead {
                tr {
                    @for (name, class) in columns {
                        th scope="col" class=[(!class.is_empty()).then_some(class)] { (name) }
                    }
                }
            }
            tbody { (rows) }
        }
    }
}

/// Explains an empty page and how to fill it.
pub(super) fn empty(what: &str, how: &Markup) -> Markup {
    html! { div.empty { p.what { (what) } (how) } }
}

/// Name of an operation, linked to its page.
pub(super) fn operation(name: Option<&str>) -> Markup {
    html! {
        @match name {
            Some(name) => a href={ "/ui/operation/" (name) } { (text(name)) },
            None => "(unknown operation)",
        }
    }
}

/// The day of a timestamp, with the full timestamp as tooltip.
pub(super) fn day(at: &str) -> Markup {
    let day = at.get(..10).unwrap_or(at);
    html! { time datetime=(at) title=(at) { (text(day)) } }
}

/// Untrusted text, shortened and with invisible characters escaped.
pub(super) fn text(text: &str) -> Markup {
    html! { (visible(&cut_text(text))) }
}

/// An indented document; control characters are escaped, and long texts are shortened.
pub(super) fn document(value: &Value) -> Markup {
    let written = serde_json::to_string_pretty(&cut(value)).unwrap_or_default();
    let lines: Vec<_> = written.lines().map(visible).collect();
    html! { pre tabindex="0" { code { (lines.join("\n")) } } }
}

fn cut(value: &Value) -> Value {
    match value {
        Value::String(text) => cut_text(text).into(),
        Value::Array(items) => items.iter().map(cut).collect(),
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| (cut_text(name), cut(value)))
            .collect(),
        other => other.clone(),
    }
}

fn cut_text(text: &str) -> String {
    let Some((end, _)) = text.char_indices().nth(TEXT) else {
        return text.to_owned();
    };
    let length = text.chars().count();
    let start = text.get(..end).unwrap_or_default();
    format!("{start}… ({length} characters)")
}

/// A duration in ms or s.
pub(super) fn millis(duration: Duration) -> String {
    let millis = duration.as_secs_f64() * 1000.0;
    if millis < 10.0 {
        format!("{millis:.1} ms")
    } else if millis < 10_000.0 {
        format!("{millis:.0} ms")
    } else {
        format!("{:.0} s", millis / 1000.0)
    }
}

/// A timestamp, from milliseconds since 1970.
pub(super) fn time(at: i64) -> Markup {
    let exact = moment(at);
    let shown = exact.split('.').next().unwrap_or_default();
    let shown = shown.trim_end_matches('Z').replace('T', " ");
    html! { time datetime=(exact) { (shown) " UTC" } }
}

/// Time since a timestamp; zero if in the future.
pub(super) fn age(at: i64) -> Duration {
    Duration::from_millis(unix_millis().saturating_sub(at).max(0).unsigned_abs())
}

/// Time since a timestamp, with the timestamp as tooltip.
pub(super) fn ago(at: i64) -> Markup {
    let seconds = age(at).as_secs();
    let (number, unit) = match seconds {
        ..120 => (seconds, "s"),
        120..7200 => (seconds / 60, "min"),
        7200..172_800 => (seconds / 3600, "h"),
        _ => (seconds / 86_400, "days"),
    };
    html! { time datetime=(moment(at)) title=(moment(at)) { (number) " " (unit) " ago" } }
}

/// A share in percent.
pub(super) fn share(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "–".to_owned();
    }
    let tenths = u128::from(part) * 1000 / u128::from(whole);
    if part > 0 && tenths == 0 {
        return "< 0.1 %".to_owned();
    }
    format!("{}.{} %", tenths / 10, tenths % 10)
}
