//! Query strings that stand apart from the URL that they are sent to: `$params = "api_key=" . $key`
//! below `$url = "https://…/user/list"`. In languages without a grammar, also the members of a
//! variable: `params.api_key = key`.

use crate::{
    facts::{
        Signal, parameters,
        shape::Shape,
        syntax::{
            Role, Text,
            fold::{Folded, HOLE},
        },
    },
    knowledge::Knowledge,
    rules::has,
    source::floor,
};

/// Bytes before and after a URL in which its query string is searched.
const BEFORE: usize = 600;
const AFTER: usize = 1500;

/// A part of a query string.
struct Part<'t> {
    at: usize,
    text: &'t Text,
    names: Vec<String>,
    numbers: Vec<(String, String)>,
    /// True if it has a name for each value.
    is_plain: bool,
    /// True if it goes on behind another text.
    is_appended: bool,
}

/// Adds the parameters of query strings and of members to the URLs that are beside them.
/// `has_grammar` is false if members are not among the parameters already.
pub(super) fn attach(
    source: &str,
    has_grammar: bool,
    texts: &[Text],
    folded: &[Folded],
    knowledge: &Knowledge,
    signals: &mut [Signal],
) {
    let mut parts: Vec<Part<'_>> = texts
        .iter()
        .zip(folded)
        .filter_map(|(text, folded)| part(text, folded))
        .collect();
    parts.sort_by_key(|part| part.at);
    let operation_of = |signal: &Signal| match &signal.shape {
        Shape::Url { operation, .. } | Shape::Endpoint { operation, .. }
            if signal.text.role == Role::Value =>
        {
            operation.clone()
        }
        _ => None,
    };
    let mut places: Vec<(usize, usize, String)> = signals
        .iter()
        .enumerate()
        .filter_map(|(index, signal)| Some((signal.place.at, index, operation_of(signal)?)))
        .collect();
    places.sort_unstable();
    // The end of what belongs to the URLs before, and whether the last one has nothing yet.
    let (mut floor, mut is_shared) = (0, false);
    for (order, (at, index, operation)) in places.iter().enumerate() {
        let Some(signal) = signals.get_mut(*index) else {
            continue;
        };
        let is_credential = |name: &String| has(&knowledge.credentials, name);
        let known = knowledge.operation(operation);
        let is_known = |name: &String| known.is_some_and(|known| has(&known.parameters, name));
        // Credentials beside a path would be evidence that it is v1's.
        let is_url = matches!(signal.shape, Shape::Url { .. });
        let is_kept = |name: &String| is_known(name) || is_url && is_credential(name);
        let next = places.get(order + 1).map_or(usize::MAX, |(next, ..)| *next);
        let after = (*at, next.min(at + AFTER));
        let before = (floor.max(at.saturating_sub(BEFORE)), *at);
        floor = *at;
        let function = signal.text.function.clone();
        let within = |(from, to): (usize, usize)| {
            let start = parts.partition_point(|part| part.at <= from);
            let end = parts.partition_point(|part| part.at < to);
            let inside = parts.get(start..end).unwrap_or_default().iter();
            inside.filter(|part| part.text.function == function)
        };
        let text = &mut signal.text;
        if text
            .given
            .iter()
            .any(|name| is_credential(name) || is_known(name))
        {
            is_shared = false;
            // `url += "&page_size=30"`
            let appended = within(after).filter(|part| {
                part.is_appended && part.text.target.is_some() && part.text.target == text.target
            });
            for part in appended {
                text.given
                    .extend(part.names.iter().filter(|name| is_known(name)).cloned());
                text.values.extend(part.numbers.iter().cloned());
            }
            continue;
        }
        let found = [after, before].into_iter().find_map(|range| {
            let ours: Vec<&Part<'_>> = within(range).collect();
            let mut names: Vec<String> = ours.iter().flat_map(|part| part.names.clone()).collect();
            let whole = !is_shared && is_whole(source, &ours, next);
            if !has_grammar {
                names.extend(members(source, range, &is_credential));
            }
            let numbers: Vec<_> = ours.iter().flat_map(|part| part.numbers.clone()).collect();
            let is_payload = names.iter().any(is_credential);
            is_payload.then_some((names, numbers, whole, range.1))
        });
        is_shared = found.is_none();
        if let Some((names, numbers, whole, end)) = found {
            floor = floor.max(end);
            text.given.extend(names.into_iter().filter(is_kept));
            text.values.extend(numbers);
            text.whole = whole;
        }
    }
}

/// A text that starts with a name and an equals sign: `"api_key="`, `"&host_id=" + id`.
fn part<'t>(text: &'t Text, folded: &Folded) -> Option<Part<'t>> {
    let bare = folded.text.trim_start_matches([HOLE, '?', '&', '"', '\'']);
    let name = bare.find(|c: char| !c.is_alphanumeric() && c != '_')?;
    let is_query = name > 0 && bare.get(name..)?.starts_with('=');
    (is_query && text.role == Role::Value && !bare.contains("://")).then(|| Part {
        at: folded.source(folded.text.len() - bare.len()),
        text,
        names: parameters::named(&folded.text, &|_| true),
        numbers: parameters::numbers(&folded.text, &|_| true),
        is_appended: folded.text.trim_start_matches(HOLE).starts_with('&'),
        is_plain: bare.split('&').all(|part| part.contains('=')),
    })
}

/// True if the parts are all that is sent: an argument of a call, or a variable that is used once
/// behind them and before `end`, as it is.
fn is_whole(source: &str, parts: &[&Part<'_>], end: usize) -> bool {
    let (Some(first), Some(last)) = (parts.first(), parts.last()) else {
        return false;
    };
    if !parts.iter().all(|part| part.is_plain) {
        return false;
    }
    let Some(target) = &first.text.target else {
        return first.text.callee.is_some();
    };
    let end = floor(source, end.min(last.at.saturating_add(AFTER)));
    let rest = source.get(last.at..end).unwrap_or_default();
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let mut uses = rest.match_indices(target.as_str()).filter(|(at, _)| {
        let before = rest.get(..*at).and_then(|head| head.chars().next_back());
        let after = rest
            .get(at + target.len()..)
            .and_then(|tail| tail.chars().next());
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    });
    let (only, others) = (uses.next(), uses.next());
    only.is_some_and(|(at, _)| {
        let after = rest.get(at + target.len()..).unwrap_or_default();
        after.starts_with([',', ')', ';', ']', '\r', '\n'])
    }) && others.is_none()
}

/// The names of members that are set on a variable with credentials: `params.api_key = key`.
fn members(
    source: &str,
    (from, to): (usize, usize),
    is_credential: &dyn Fn(&String) -> bool,
) -> Vec<String> {
    let written: Vec<(&str, String)> = source
        .get(floor(source, from)..floor(source, to))
        .unwrap_or_default()
        .lines()
        .filter_map(member)
        .collect();
    let holder = written.iter().find(|(_, name)| is_credential(name));
    let Some((holder, _)) = holder else {
        return Vec::new();
    };
    let ours = written.iter().filter(|(variable, _)| variable == holder);
    ours.map(|(_, name)| name.clone()).collect()
}

/// The variable and the member of a line that sets one: `params.id = id`, `params["id"] = id`.
fn member(line: &str) -> Option<(&str, String)> {
    let (left, right) = line.trim_start().split_once('=')?;
    let (variable, name) = left.trim_end().split_once(['.', '[', '('])?;
    let name = name.trim_matches(|c: char| matches!(c, '"' | '\'' | ']' | ')' | ':'));
    let is_name = |text: &str| {
        !text.is_empty()
            && text
                .chars()
                .all(|c| c.is_alphanumeric() || matches!(c, '_' | '$' | '@'))
    };
    (is_name(variable) && is_name(name) && !right.starts_with('='))
        .then(|| (variable, name.to_owned()))
}
