//! Parameters in the statement around a path, in any language: in the query string, in the data of
//! `curl`, in maps, and in chained calls.

use crate::source::{ceil, floor};

/// Bytes of a statement that are searched before and after a path.
const BEFORE: usize = 600;
const AFTER: usize = 1500;

/// Parameters that a statement sets beside a path.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Given {
    /// The names that `is_wanted` accepted.
    pub(super) names: Vec<String>,
    /// The numbers among their values.
    pub(super) numbers: Vec<(String, String)>,
    /// The names among them that are headers.
    pub(super) headers: Vec<String>,
    /// True for a shell command that spells out all its parameters.
    pub(super) whole: bool,
}

/// Finds parameter names in the statement around a path at `from..to`. If `is_request` is false,
/// the path is an element of a list, and only its own text counts.
pub(super) fn around(
    source: &str,
    from: usize,
    to: usize,
    is_request: bool,
    is_shell: bool,
    is_wanted: &dyn Fn(&str) -> bool,
) -> Given {
    let start = if is_request {
        start_of(source, from)
    } else {
        from
    };
    let end = end_of(source, to, is_request);
    let (Some(before), Some(after)) = (source.get(start..from), source.get(to..end)) else {
        return Given::default();
    };
    let mut names = named(before, is_wanted);
    names.extend(named(after, is_wanted));
    let mut headers = in_headers(before, is_wanted);
    headers.extend(in_headers(after, is_wanted));
    let mut numbers = numbers(before, is_wanted);
    numbers.extend(self::numbers(after, is_wanted));
    let hidden = |text: &str| {
        let mut words = text.split_whitespace();
        words.any(|word| {
            let data = word
                .trim_start_matches("-d")
                .trim_start_matches(['"', '\'']);
            data.starts_with(['$', '@']) && !data.contains('=')
        })
    };
    Given {
        whole: is_shell && !names.is_empty() && !hidden(before) && !hidden(after),
        names,
        numbers,
        headers,
    }
}

/// Start of the line of a path, including the lines that it continues.
fn start_of(source: &str, at: usize) -> usize {
    let floor = ceil(source, at.saturating_sub(BEFORE));
    let mut head = source.get(floor..at).unwrap_or_default();
    loop {
        let Some(line) = head.rfind('\n') else {
            return floor;
        };
        let above = head.get(..line).unwrap_or_default();
        if !above.trim_end_matches('\r').ends_with(['\\', '^', '`']) {
            return floor + line + 1;
        }
        head = above;
    }
}

/// End of the statement: of the text of the path, or of the calls that take it.
fn end_of(source: &str, at: usize, is_request: bool) -> usize {
    let limit = floor(source, at + AFTER);
    let rest = source.get(at..limit).unwrap_or_default();
    let mut depth = 0_i32;
    for (offset, letter) in rest.char_indices() {
        let ends = match letter {
            '"' | '\'' | '`' => !is_request,
            '(' | '[' | '{' => {
                depth += 1;
                false
            }
            ')' | ']' | '}' => {
                depth -= 1;
                false
            }
            ';' => depth <= 0,
            '\n' => {
                let line = rest.get(..offset).unwrap_or_default().trim_end();
                let next = rest.get(offset..).unwrap_or_default().trim_start();
                !is_request
                    || depth <= 0
                        && !line.ends_with(['\\', '^', '`', ',', '(', '[', '{'])
                        && !next.starts_with(['.', ')', ']', '}', '&', '?'])
                        && !next.starts_with("->")
            }
            _ => false,
        };
        if ends {
            return at + offset;
        }
    }
    limit
}

/// The wanted names that a text gives a value: `id=`, `"id":`, `:id =>`, `'id',`.
pub(super) fn named(text: &str, is_wanted: &dyn Fn(&str) -> bool) -> Vec<String> {
    let mut names = Vec::new();
    each_named(text, is_wanted, &mut |_, name, _| {
        names.push(name.to_owned());
    });
    names
}

/// The numbers that a text gives wanted names: `page_size=30`, `"page_size": 30`.
pub(super) fn numbers(text: &str, is_wanted: &dyn Fn(&str) -> bool) -> Vec<(String, String)> {
    let mut numbers = Vec::new();
    each_named(text, is_wanted, &mut |_, name, after| {
        let is_between =
            |c: char| c.is_whitespace() || matches!(c, '=' | ':' | '>' | '"' | '\'' | ']');
        let value = after.trim_start_matches(is_between);
        let length = value.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = value.split_at(length);
        let ends = |c: char| {
            c.is_whitespace()
                || matches!(
                    c,
                    '&' | '#' | '"' | '\'' | '`' | ',' | ';' | ')' | ']' | '}'
                )
        };
        // `30 * n` is another number.
        let next = rest.trim_start_matches([' ', '\t']);
        let is_operand = next.len() < rest.len()
            && (next.starts_with(['*', '/', '%', '+', '?', '<', '>']) || next.starts_with("- "));
        if !number.is_empty() && !is_operand && rest.chars().next().is_none_or(ends) {
            numbers.push((name.to_owned(), number.to_owned()));
        }
    });
    numbers
}

/// The wanted names that are headers: `.header("api_key", key)`, `headers: { api_key: key }`,
/// `-H "api_key: $KEY"`.
fn in_headers(text: &str, is_wanted: &dyn Fn(&str) -> bool) -> Vec<String> {
    let mut headers = Vec::new();
    each_named(text, is_wanted, &mut |before, name, _| {
        if is_header(before) {
            headers.push(name.to_owned());
        }
    });
    headers
}

/// True if a name behind this text is a header.
fn is_header(before: &str) -> bool {
    let bare = before.trim_end_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\''));
    if bare.ends_with("-H") || bare.ends_with("--header") {
        return true;
    }
    let mut depth = 0_usize;
    let open = before.char_indices().rev().find(|(_, letter)| {
        match letter {
            ')' | ']' | '}' => depth += 1,
            '(' | '[' | '{' if depth == 0 => return true,
            '(' | '[' | '{' => depth -= 1,
            _ => {}
        }
        false
    });
    let Some((open, _)) = open else {
        return false;
    };
    let head = before.get(..open).unwrap_or_default();
    let call = head.rsplit(['(', ')', '[', '{', '}', ';', '\n']).next();
    let mut words = call.unwrap_or_default().rsplit(',');
    let holds = |word: Option<&str>, name: &str| {
        word.is_some_and(|word| word.to_ascii_lowercase().contains(name))
    };
    // `CURLOPT_HTTPHEADER, array(`
    holds(words.next(), "header") || holds(words.next(), "httpheader")
}

/// Calls back for each wanted name that a text gives a value, with the text before and behind it.
fn each_named<'s>(
    text: &'s str,
    is_wanted: &dyn Fn(&str) -> bool,
    found: &mut dyn FnMut(&'s str, &'s str, &'s str),
) {
    /// Bytes of a text that are searched. The search looks back from each word.
    const SEARCHED: usize = 4000;
    let end = floor(text, SEARCHED);
    let text = text.get(..end).unwrap_or_default();
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let mut rest = text;
    while let Some(start) = rest.find(is_part) {
        let word = rest.get(start..).unwrap_or_default();
        let length = word.find(|c| !is_part(c)).unwrap_or(word.len());
        let (word, after) = word.split_at(length);
        let before = text
            .get(..text.len() - rest.len() + start)
            .unwrap_or_default();
        let quoted = after.starts_with(['"', '\'']) && before.ends_with(['"', '\'', '@']);
        let bare = after.trim_start_matches(['"', '\'', ']']).trim_start();
        // `{ id, email }` of JavaScript
        let is_member =
            before.trim_end().ends_with(['{', ',']) && after.trim_start().starts_with([',', '}']);
        let is_in_map = || before.rfind('{') > before.rfind(['(', ')', '}', '[']);
        let given = bare.starts_with('=') && !bare.starts_with("==")
            || bare.starts_with(':') && !bare.starts_with("::")
            || quoted && (bare.starts_with(',') || bare.starts_with("to "))
            || !quoted && is_member && is_in_map();
        if given && is_wanted(word) {
            found(before, word, after);
        }
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(source: &str) -> Vec<String> {
        let from = source.find("user/update").unwrap();
        let wanted = |name: &str| matches!(name, "id" | "dept" | "type");
        around(source, from, from + 11, true, false, &wanted).names
    }

    #[test]
    fn parameters_are_read_in_any_notation() {
        for source in [
            "curl -d id=$ID --data 'dept=x' https://h/v1/user/update",
            "curl \\\n  -d id=1 \\\n  https://h/v1/user/update -d dept=2",
            "fetch('/v1/user/update?id=' + id + '&dept=x')",
            "request.post('/v1/user/update')\n  .query({ id: id })\n  .send({\"dept\": 1})",
            "webwrite([base 'user/update'], 'id', id, 'dept', d);",
            "call('user/update', :id => 1, dept: 2)",
            "dio.post('user/update',\n  data: {\n    'id': x,\n    'dept': y,\n  },\n)",
            "request.post('/v1/user/update').query({ id, dept })",
            "post(\"user/update\", mapOf(\"id\" to id, \"dept\" to dept))",
        ] {
            assert_eq!(given(source), ["id", "dept"], "{source}");
        }
    }

    #[test]
    fn a_part_of_an_expression_is_no_number() {
        let of = |text: &str| numbers(text, &|name| name == "page_size").len();
        for text in [
            "page_size: 30 }",
            "page_size=30 -d x=1",
            "'page_size' => 30 ,",
            "page_size=30",
        ] {
            assert_eq!(of(text), 1, "{text}");
        }
        for text in [
            "page_size: 30 * n",
            "page_size: 30*n",
            "page_size = 30 - n",
            "page_size: 30 + n",
        ] {
            assert_eq!(of(text), 0, "{text}");
        }
    }

    #[test]
    fn names_in_headers_are_told_apart() {
        let wanted = |name: &str| name == "api_key";
        for (text, expected) in [
            ("post(u).header(\"accept\", a).header(\"api_key\", k)", 1),
            ("post(u, { headers: { 'api_key': k } })", 1),
            ("post(u, headers={'x': 1, 'api_key': k})", 1),
            (
                "curl_setopt($c, CURLOPT_HTTPHEADER, array('api_key: '.$k))",
                1,
            ),
            ("curl -H \"api_key: $K\" u", 1),
            ("post(u).header(\"accept\", a).field(\"api_key\", k)", 0),
            ("post(u, headers, { api_key: k })", 0),
            ("post(u, { headers: { x: 1 }, form: { api_key: k } })", 0),
            ("curl -H 'Accept: x' -d api_key=$K u", 0),
        ] {
            assert_eq!(in_headers(text, &wanted).len(), expected, "{text}");
        }
    }

    #[test]
    fn ignores_parameters_of_other_statements() {
        assert_eq!(
            given("post('user/update', id: 1);\npost(x, dept: 1)"),
            ["id"]
        );
        assert_eq!(
            given("type = 1\npost('user/update', id: 1)\ndept = 2"),
            ["id"]
        );
        assert_eq!(given("if type == 1: post('user/update')"), [""; 0]);
    }
}
