//! Raw HTTP requests and `.http` files: request line, headers, body.

use super::clients::{Command, Data};

const METHODS: [&str; 6] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"];

/// Parses the requests of a text; `None` if it does not start with a request line, comments and
/// variables aside.
pub(super) fn commands(text: &str) -> Option<Vec<Command>> {
    let text = with_values(text);
    let mut blocks: Vec<Vec<&str>> = vec![Vec::new()];
    for line in text.lines() {
        match blocks.last_mut() {
            _ if line.starts_with("###") => blocks.push(Vec::new()),
            Some(block) => block.push(line),
            None => {}
        }
    }
    let commands = blocks.iter().map(Vec::as_slice).filter_map(begun);
    let commands: Option<Vec<_>> = commands.map(command).collect();
    commands.filter(|commands| !commands.is_empty())
}

/// Replaces `{{name}}` with the values of `@name = value` lines.
fn with_values(text: &str) -> String {
    let names = text
        .lines()
        .filter_map(|line| line.strip_prefix('@')?.split_once('='));
    names.fold(text.to_owned(), |text, (name, value)| {
        text.replace(&format!("{{{{{}}}}}", name.trim()), value.trim())
    })
}

/// Skips to the request line of a block; `None` if it has only comments and variables.
fn begun<'b, 't>(block: &'b [&'t str]) -> Option<&'b [&'t str]> {
    let is_before = |line: &&str| {
        let line = line.trim();
        line.is_empty() || ["#", "//", "@"].iter().any(|start| line.starts_with(start))
    };
    let start = block.iter().position(|line| !is_before(line))?;
    block.get(start..)
}

/// Parses a block; `None` if it does not start with a request line.
fn command(block: &[&str]) -> Option<Command> {
    let (first, rest) = block.split_first()?;
    let mut words = first.split_whitespace();
    let method = words.next().filter(|word| METHODS.contains(word))?;
    let mut url = words.next()?.to_owned();
    let mut command = Command {
        method: Some(method.to_owned()),
        ..Command::default()
    };
    let mut lines = rest.iter().copied();
    for line in lines.by_ref() {
        match line.trim() {
            "" => break,
            // A query may span several lines.
            more if more.starts_with(['?', '&']) => url.push_str(more),
            header => command.header(header),
        }
    }
    command.url = Some(url);
    // Response handlers of `.http` files follow the body.
    let body = lines.take_while(|line| !line.starts_with("> ") && !line.starts_with("<> "));
    let body = body.collect::<Vec<_>>().join("\n").replace("\n&", "&");
    if !body.trim().is_empty() {
        command.data.push(Data::Encoded(body.trim().to_owned()));
    }
    Some(command)
}
