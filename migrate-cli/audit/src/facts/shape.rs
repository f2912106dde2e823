//! Finds v1 in a text: URLs, base URLs, paths without a base, and halves of paths.

pub(crate) mod prose;

use memchr::{memchr2_iter, memmem};

use crate::{
    facts::syntax::fold::{Folded, HOLE},
    knowledge::Knowledge,
    rules::Hosts,
    source::ceil,
};

/// Shape of a part of a text. Whether it is a use of v1 is decided later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A base URL of v1: `https://api.zoom.us/v1/`.
    Base,
    /// A base URL of v2.
    BaseV2,
    /// A host of the API without a version.
    Host,
    /// A version without a host: `/v1`.
    Version,
    /// A path of v2 without a host: `/v2/users`.
    PathV2,
    /// A base URL of v1 for Zoom's browser SDK, which signs in with a user's password.
    BrowserSdk,
    /// A path with the action computed at run time: `BASE + "user/" + action`.
    Dynamic,
    /// A request without a path: v1's credentials beside a parameter that only v1 has.
    Parameters,
    /// An absolute URL of v1.
    Url {
        /// The operation, if it is one.
        operation: Option<String>,
        /// The path in lower case if it is complete and no operation.
        unknown: Option<String>,
    },
    /// A path without the base: `user/list`.
    Endpoint {
        /// The operation; `None` for a path that clients call although v1 never had it.
        operation: Option<String>,
        /// The path in lower case.
        path: String,
        /// True if it has v1's letter case; other programs have `user/getByEmail`.
        exact: bool,
        /// True if `v1/` is before it.
        versioned: bool,
        /// True if a value is before it: `BASE + "user/list"`.
        based: bool,
    },
    /// Words that name the API itself: `API v1`.
    Name,
    /// A call of a client library in a comment or in prose.
    Call {
        /// The library's package.
        package: String,
        /// The operation; `None` for a constructor that selects v1.
        operation: Option<String>,
    },
    /// A text that is the part of an operation before a slash: `user`.
    Resource(String),
    /// A text that is the part of an operation after a slash: `custcreate`.
    Action(String),
}

/// A shape and its byte range in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sighting {
    /// The shape.
    pub(crate) shape: Shape,
    /// The first byte.
    pub(crate) start: usize,
    /// The byte behind the last one.
    pub(crate) end: usize,
}

/// Maximum length of a host name, in bytes.
const HOST: usize = 255;

/// Classifies a string of code as a whole: it must be a URL, a path or a half of a path.
pub(crate) fn in_value(text: &Folded, hosts: &Hosts, knowledge: &Knowledge) -> Vec<Sighting> {
    let mut found = urls(&text.text, hosts, knowledge);
    if found.is_empty() && !hosts.has_domain(&text.text) {
        found.extend(relative(&text.text, hosts, knowledge));
        if found.is_empty() {
            found.extend(halves(&text.text, knowledge));
        }
    }
    found
}

/// A version that is the whole value of a setting: `ZOOM_API_VERSION=v1`.
pub(crate) fn version_of_setting(line: &str) -> Option<Sighting> {
    let at = line.find(['=', ':'])?;
    let value = line.get(at + 1..)?;
    let is_around = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ',' | '/');
    let bare = value.trim_matches(is_around);
    let start = at + 1 + value.find(bare)?;
    (bare == "v1").then(|| Sighting {
        shape: Shape::Version,
        start,
        end: start + bare.len(),
    })
}

/// The byte ranges of API domains.
fn domains(text: &str, hosts: &Hosts) -> impl Iterator<Item = (usize, usize)> {
    let bytes = text.as_bytes();
    memchr2_iter(b'z', b'Z', bytes).filter_map(|at| {
        let length = hosts.domain_length(bytes.get(at..)?)?;
        Some((at, at + length))
    })
}

/// The URLs in a text.
pub(crate) fn urls(text: &str, hosts: &Hosts, knowledge: &Knowledge) -> Vec<Sighting> {
    let mut found = Vec::new();
    for (at, host_end) in domains(text, hosts) {
        let window = ceil(text, at.saturating_sub(HOST));
        let before = text.get(window..at).unwrap_or_default();
        let is_host = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-');
        let host_start = window + before.trim_end_matches(is_host).len();
        let host = text
            .get(host_start..host_end)
            .unwrap_or_default()
            .to_ascii_lowercase();
        if let Some(sighting) = url(text, &host, host_start, host_end, hosts, knowledge) {
            found.push(sighting);
        }
    }
    if let Some(shim) = &hosts.shim {
        for start in memmem::find_iter(text.as_bytes(), shim) {
            let before = text.get(..start).and_then(|head| head.chars().next_back());
            if before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '.' | '-')) {
                continue;
            }
            found.extend(url(text, shim, start, start + shim.len(), hosts, knowledge));
        }
    }
    found
}

#[expect(clippy::too_many_lines, reason = "one parser from left to right")]
fn url(
    text: &str,
    host: &str,
    host_start: usize,
    host_end: usize,
    hosts: &Hosts,
    knowledge: &Knowledge,
) -> Option<Sighting> {
    let is_api = hosts
        .api
        .iter()
        .chain(&hosts.shim)
        .any(|known| known == host);
    let rest = text.get(host_end..)?;
    let mut at = host_end;
    // The port.
    let port = match rest.strip_prefix(':') {
        Some(port) => port.bytes().take_while(u8::is_ascii_digit).count(),
        None => 0,
    };
    let rest = if port > 0 {
        at += 1 + port;
        rest.get(1 + port..)?
    } else {
        rest
    };
    let path = if is_api {
        rest
    } else {
        at += hosts.web_path.len();
        rest.strip_prefix(hosts.web_path.as_str())?
    };
    let start = scheme_start(text, host_start);
    let Some(version) = path.strip_prefix("/") else {
        let bare = path
            .chars()
            .next()
            .is_none_or(|c| !c.is_alphanumeric() && !matches!(c, '.' | '-'));
        return (is_api && bare).then_some(Sighting {
            shape: Shape::Host,
            start,
            end: at,
        });
    };
    let number = version.get(..2).unwrap_or_default();
    let after = version.get(2..).unwrap_or_default();
    let ends = !after
        .chars()
        .next()
        .is_some_and(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_'));
    let end = at + 3;
    match number {
        "v2" if ends => {
            return Some(Sighting {
                shape: Shape::BaseV2,
                start,
                end,
            });
        }
        "v1" if ends => {}
        _ => {
            let bare = version.chars().next().is_none_or(|c| !c.is_alphanumeric());
            return (is_api && bare).then_some(Sighting {
                shape: Shape::Host,
                start,
                end: at,
            });
        }
    }
    if !is_api && !hosts.web.iter().any(|known| known == host) {
        // Other subdomains serve other products below the same path.
        let path = after
            .strip_prefix('/')
            .and_then(|path| knowledge.path_at(path))?;
        path.operation.as_ref()?;
    }
    let path = after.strip_prefix('/').unwrap_or_default();
    let path_start = end + usize::from(after.starts_with('/'));
    if let Some(found) = knowledge.path_at(path) {
        let stray = path.get(..found.length).map(str::to_ascii_lowercase);
        return Some(Sighting {
            shape: Shape::Url {
                unknown: stray.filter(|_| found.operation.is_none()),
                operation: found.operation,
            },
            start,
            end: path_start + found.length,
        });
    }
    let word: String = path
        .chars()
        .take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '/'))
        .collect();
    if word.is_empty() {
        return Some(Sighting {
            shape: Shape::Base,
            start,
            end: path_start,
        });
    }
    let shape = if is_dynamic(path, knowledge) {
        Shape::Dynamic
    } else {
        let rest = path.get(word.len()..).unwrap_or_default();
        Shape::Url {
            operation: None,
            unknown: is_complete(&word, rest, knowledge).then(|| word.to_ascii_lowercase()),
        }
    };
    let head = word.split('/').next().unwrap_or_default();
    knowledge
        .is_head(&head.to_ascii_lowercase())
        .then_some(Sighting {
            shape,
            start,
            end: path_start + word.len(),
        })
}

/// True if a path below the base has an action, and no value follows that could be part of it.
fn is_complete(path: &str, rest: &str, knowledge: &Knowledge) -> bool {
    /// Maximum length of a path, in bytes.
    const LONGEST: usize = 96;
    let ends = |c: char| {
        c.is_whitespace() || matches!(c, '?' | '#' | '&' | '"' | '\'' | '`' | ')' | ',' | ';')
    };
    path.contains('/')
        && !path.ends_with('/')
        && path.len() <= LONGEST
        && !knowledge.is_resource(&path.to_ascii_lowercase())
        && rest.chars().next().is_none_or(ends)
}

/// True for a resource with a value as the action: `user/{action}`.
fn is_dynamic(path: &str, knowledge: &Knowledge) -> bool {
    let Some((resource, action)) = path.rsplit_once('/') else {
        return false;
    };
    let value = action.strip_prefix(HOLE) == Some("")
        || matches!(action, "%s" | "%@" | "%v")
        || action.starts_with('{') && action.ends_with('}');
    value && knowledge.is_resource(&resource.to_ascii_lowercase())
}

fn scheme_start(text: &str, host: usize) -> usize {
    ["https://", "http://", "//"]
        .iter()
        .filter_map(|scheme| Some((host.checked_sub(scheme.len())?, scheme)))
        .find(|(start, scheme)| {
            text.get(*start..host)
                .is_some_and(|head| head.eq_ignore_ascii_case(scheme))
        })
        .map_or(host, |(start, _)| start)
}

/// The path of a URL below `/v1` of another host that is named after Zoom:
/// `https://zoom.example.com/v1/user/list`.
fn below_namesake<'t>(url: &'t str, hosts: &Hosts) -> Option<&'t str> {
    let (_, rest) = url
        .split_once("://")
        .filter(|(scheme, _)| scheme.len() < 6)?;
    let path = rest.get(rest.find('/')?..)?;
    let host = rest.strip_suffix(path)?;
    let is_named = |label: &str| {
        let mut names = hosts.labels.iter();
        names.any(|name| name.eq_ignore_ascii_case(label))
    };
    (path.starts_with("/v1/") && host.split(['.', ':']).any(is_named)).then_some(path)
}

/// The path at the start of a text: `/user/list?page_size=300`.
fn relative(text: &str, hosts: &Hosts, knowledge: &Knowledge) -> Option<Sighting> {
    let trimmed = text.trim_start();
    let below = skip_placeholders(below_namesake(trimmed, hosts).unwrap_or(trimmed));
    let based = below.len() < trimmed.len();
    let mut rest = below.strip_prefix('/').unwrap_or(below);
    let mut versioned = false;
    for prefix in ["api/v1/", "v1/"] {
        if let Some(below) = rest.strip_prefix(prefix) {
            rest = below;
            versioned = true;
        }
    }
    // `HOST + VERSION + "/user/list"`, `/{version}/user/list`
    rest = skip_placeholders(rest);
    rest = rest.strip_prefix('/').unwrap_or(rest);
    let start = text.len() - rest.len();
    if is_dynamic(rest, knowledge) {
        return Some(Sighting {
            shape: Shape::Dynamic,
            start,
            end: start + rest.rfind('/').unwrap_or_default(),
        });
    }
    if rest.starts_with("v2/") {
        return Some(Sighting {
            shape: Shape::PathV2,
            start,
            end: start + "v2".len(),
        });
    }
    let path = knowledge.path_at(rest)?;
    let after = rest.get(path.length..).unwrap_or_default();
    let after = after.strip_prefix('/').unwrap_or(after);
    let ends = after.chars().next().is_none_or(|c| {
        matches!(c, '?' | '&' | '#')
            || c == HOLE && !path.continues
            || c.is_whitespace() && after.trim().is_empty()
    });
    if path.continues || !ends {
        return None;
    }
    let name = rest.get(..path.length).unwrap_or_default();
    Some(Sighting {
        shape: Shape::Endpoint {
            operation: path.operation,
            path: name.to_ascii_lowercase(),
            exact: name.bytes().all(|byte| !byte.is_ascii_uppercase()),
            versioned,
            based,
        },
        start,
        end: start + path.length,
    })
}

/// Skips placeholders at the start: `{base}`, `${url}/`, `%s`.
fn skip_placeholders(text: &str) -> &str {
    let mut rest = text;
    loop {
        let bare = rest.strip_prefix('/').unwrap_or(rest);
        let after = if let Some(after) = bare.strip_prefix(HOLE) {
            Some(after)
        } else if let Some(after) = ["%s", "%@", "%1$s", "%v"]
            .iter()
            .find_map(|format| bare.strip_prefix(format))
        {
            Some(after)
        } else if bare.starts_with('{') || bare.starts_with("${") || bare.starts_with("#{") {
            bare.find('}')
                .filter(|end| *end < 60)
                .and_then(|end| bare.get(end + 1..))
                .map(|after| after.strip_prefix('}').unwrap_or(after))
        } else if let Some(named) = bare.strip_prefix('#') {
            // ColdFusion: `#variables.base#user/list`
            after_name(named).and_then(|rest| rest.strip_prefix('#'))
        } else if let Some(named) = bare.strip_prefix("callout:") {
            // Salesforce: `callout:Zoom/v1/user/list`
            after_name(named)
        } else {
            None
        };
        match after {
            Some(after) => rest = after,
            None => return rest,
        }
    }
}

/// The text behind a dotted name.
fn after_name(text: &str) -> Option<&str> {
    text.find(|c: char| !c.is_alphanumeric() && !matches!(c, '.' | '_'))
        .filter(|end| *end > 0)
        .and_then(|end| text.get(end..))
}

/// The halves that a text may be. `im` is both a resource and an action.
fn halves(text: &str, knowledge: &Knowledge) -> Vec<Sighting> {
    let bare = text.trim_start_matches(HOLE).trim_matches('/');
    let Some(start) = text.find(bare).filter(|_| (1..=40).contains(&bare.len())) else {
        return Vec::new();
    };
    let lower = bare.to_ascii_lowercase();
    // `"/v1/#{resource}/#{action}"`
    let fixed = lower.trim_end_matches(['/', HOLE]);
    let version = matches!(fixed, "v1" | "api/v1").then_some(Shape::Version);
    let resource = knowledge
        .is_resource(&lower)
        .then(|| Shape::Resource(lower.clone()));
    let action = knowledge
        .is_action(&lower)
        .then(|| Shape::Action(lower.clone()));
    [version, resource, action]
        .into_iter()
        .flatten()
        .map(|shape| Sighting {
            end: start
                + if shape == Shape::Version {
                    fixed.len()
                } else {
                    bare.len()
                },
            shape,
            start,
        })
        .collect()
}
