//! Splits command lines like POSIX shells, cmd and `PowerShell`. Variables become markers.

use std::{iter::Peekable, str::Chars};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::{assignments, variables::RequestVariables};

/// Maximum depth of hash tables within hash tables.
const DEPTH: usize = 8;

/// Splits a text into commands, each a list of words, with the values of variables that the text
/// assigns.
///
/// # Errors
///
/// A quote is not closed.
pub(super) fn commands(
    text: &str,
    found: &mut RequestVariables,
) -> Result<Vec<Vec<String>>, &'static str> {
    let shell = Shell::of(text);
    let text = match shell {
        Shell::Cmd => without_carets(text),
        Shell::Posix | Shell::PowerShell => text.to_owned(),
    };
    let mut splitter = Splitter {
        shell,
        letters: text.chars().peekable(),
        found,
        word: None,
        words: Vec::new(),
        commands: Vec::new(),
    };
    splitter.split()?;
    let commands = splitter.commands;
    Ok(assignments::resolve(commands, found))
}

#[derive(Clone, Copy, PartialEq, Eq)]
#[expect(clippy::enum_variant_names, reason = "that shell is called so")]
enum Shell {
    Posix,
    Cmd,
    PowerShell,
}

impl Shell {
    /// Detects the shell: only cmd continues lines with `^`, only `PowerShell` with a backtick or
    /// has these commands.
    fn of(text: &str) -> Self {
        let lines = || text.lines().map(str::trim_end);
        let lower = text.to_lowercase();
        let own = ["invoke-restmethod", "invoke-webrequest"];
        let is_alias = |word: &str| matches!(word, "irm" | "iwr");
        if lines().any(|line| line.ends_with('^')) || text.contains("^\"") {
            Self::Cmd
        } else if lines().any(|line| line.ends_with(" `"))
            || own.iter().any(|name| lower.contains(name))
            || lower.split_whitespace().any(is_alias)
        {
            Self::PowerShell
        } else {
            Self::Posix
        }
    }

    fn escape(self) -> char {
        match self {
            Self::PowerShell => '`',
            Self::Posix | Self::Cmd => '\\',
        }
    }
}

/// Resolves carets like cmd: continues lines and unescapes letters. Browsers also put them before
/// quotes.
fn without_carets(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut letters = text.chars().filter(|letter| *letter != '\r').peekable();
    let mut is_quoted = false;
    while let Some(letter) = letters.next() {
        match letter {
            '^' if !is_quoted || letters.peek() == Some(&'\n') => match letters.next() {
                Some('\n') => out.push(' '),
                Some(next) => out.push(next),
                None => {}
            },
            letter => {
                is_quoted ^= letter == '"';
                out.push(letter);
            }
        }
    }
    out
}

struct Splitter<'t, 'f> {
    shell: Shell,
    letters: Peekable<Chars<'t>>,
    found: &'f mut RequestVariables,
    /// Current word; `None` between words.
    word: Option<String>,
    words: Vec<String>,
    commands: Vec<Vec<String>>,
}

impl Splitter<'_, '_> {
    fn split(&mut self) -> Result<(), &'static str> {
        while let Some(letter) = self.letters.next() {
            let is_start = self.word.is_none();
            match letter {
                '\n' => self.end_command(),
                letter if letter.is_whitespace() => self.end_word(),
                '#' if is_start && self.shell != Shell::Cmd => self.skip_line(),
                '|' | '&' | ';' if is_start => self.end_command(),
                ';' if self.letters.peek().is_none_or(|next| next.is_whitespace()) => {
                    self.end_command();
                }
                '<' | '>' if is_start || self.is_number() => {
                    self.word = None;
                    while self
                        .letters
                        .next_if(|next| " <>&".contains(*next))
                        .is_some()
                    {}
                    while self.letters.next_if(|next| !next.is_whitespace()).is_some() {}
                }
                '@' if (is_start || self.is_assigned())
                    && self.shell == Shell::PowerShell
                    && self.letters.next_if_eq(&'{').is_some() =>
                {
                    let form = self.hash_table(DEPTH)?;
                    self.push_text(&form);
                }
                letter => self.piece(letter)?,
            }
        }
        self.end_command();
        Ok(())
    }

    /// Reads a quote, escape, variable or plain letter within a word.
    fn piece(&mut self, letter: char) -> Result<(), &'static str> {
        #[expect(clippy::match_same_arms, reason = "a guard takes a letter")]
        match (self.shell, letter) {
            (Shell::Posix | Shell::PowerShell, '\'') => self.single(),
            (_, '"') => self.double(),
            (Shell::Posix, '$') if self.letters.next_if_eq(&'\'').is_some() => self.ansi(),
            (Shell::Posix, '$') if self.letters.next_if_eq(&'"').is_some() => self.double(),
            (shell, letter) if letter == shell.escape() && shell != Shell::Cmd => {
                match self.letters.next() {
                    Some('\n') => {}
                    Some('\r') => drop(self.letters.next_if_eq(&'\n')),
                    Some(next) => self.push(next),
                    None => {}
                }
                Ok(())
            }
            _ => {
                self.plain(letter);
                Ok(())
            }
        }
    }

    /// Reads a letter that may start a variable.
    fn plain(&mut self, letter: char) {
        let name = match (self.shell, letter) {
            (Shell::Posix, '`') => Some(self.output('`')),
            (Shell::Posix | Shell::PowerShell, '$') => self.variable(),
            (Shell::Cmd, '%') => self.cmd_variable(),
            _ => None,
        };
        match name {
            Some(name) => {
                let marker = self.found.marker(&name);
                self.push_text(&marker);
            }
            None => self.push(letter),
        }
    }

    /// Reads the variable name after `$`; `None` for a plain `$`.
    fn variable(&mut self) -> Option<String> {
        match self.letters.peek()? {
            '(' => {
                self.letters.next();
                Some(self.output(')'))
            }
            '{' => {
                self.letters.next();
                let inner = self.until('}');
                // `${X:-default}`, `${env:X}`
                let inner = inner.strip_prefix("env:").unwrap_or(&inner);
                let end = inner.find(|letter: char| !is_of_name(letter));
                Some(inner.get(..end.unwrap_or(inner.len()))?.to_owned())
            }
            letter if is_of_name(*letter) => {
                let mut name = String::new();
                while let Some(letter) = self.letters.next_if(|letter| is_of_name(*letter)) {
                    name.push(letter);
                }
                let is_scope = name.eq_ignore_ascii_case("env") && self.shell == Shell::PowerShell;
                if is_scope && self.letters.next_if_eq(&':').is_some() {
                    name.clear();
                    while let Some(letter) = self.letters.next_if(|letter| is_of_name(*letter)) {
                        name.push(letter);
                    }
                }
                Some(name)
            }
            _ => None,
        }
        .filter(|name| !name.is_empty())
    }

    /// Reads `%NAME%`; `None` for a plain or doubled `%`.
    fn cmd_variable(&mut self) -> Option<String> {
        if self.letters.next_if_eq(&'%').is_some() {
            return None;
        }
        let ahead: String = self
            .letters
            .clone()
            .take_while(|letter| is_of_name(*letter))
            .collect();
        let after = self.letters.clone().nth(ahead.chars().count());
        let is_name =
            ahead.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_');
        if !is_name || after != Some('%') {
            return None;
        }
        self.until('%');
        Some(ahead)
    }

    /// Skips a command substitution and returns a variable for its output.
    fn output(&mut self, end: char) -> String {
        let mut depth = 0;
        for letter in self.letters.by_ref() {
            match letter {
                '(' if end == ')' => depth += 1,
                letter if letter == end && depth == 0 => break,
                ')' if end == ')' => depth -= 1,
                _ => {}
            }
        }
        self.found.fresh("OUTPUT")
    }

    fn until(&mut self, end: char) -> String {
        self.letters
            .by_ref()
            .take_while(|letter| *letter != end)
            .collect()
    }

    fn single(&mut self) -> Result<(), &'static str> {
        self.push_text("");
        loop {
            match self.letters.next() {
                Some('\'')
                    if self.shell == Shell::PowerShell
                        && self.letters.next_if_eq(&'\'').is_some() =>
                {
                    self.push('\'');
                }
                Some('\'') => return Ok(()),
                Some(letter) => self.push(letter),
                None => return Err("a single quote is not closed"),
            }
        }
    }

    fn double(&mut self) -> Result<(), &'static str> {
        self.push_text("");
        loop {
            match self.letters.next() {
                Some('"')
                    if self.shell != Shell::Posix && self.letters.next_if_eq(&'"').is_some() =>
                {
                    self.push('"');
                }
                Some('"') => return Ok(()),
                Some(letter) if letter == self.shell.escape() => {
                    let is_escaped = |next: &char| match self.shell {
                        Shell::Posix => "\"\\$`\n".contains(*next),
                        Shell::Cmd => *next == '"',
                        Shell::PowerShell => true,
                    };
                    match self.letters.next_if(is_escaped) {
                        Some('\n') => {}
                        Some(next) => self.push(next),
                        None => self.push(letter),
                    }
                }
                Some(letter) => self.plain(letter),
                None => return Err("a double quote is not closed"),
            }
        }
    }

    /// Reads `$'…'` with C escapes.
    fn ansi(&mut self) -> Result<(), &'static str> {
        self.push_text("");
        loop {
            match self.letters.next() {
                Some('\'') => return Ok(()),
                Some('\\') => {
                    let letter = match self.letters.next() {
                        Some('n') => '\n',
                        Some('r') => '\r',
                        Some('t') => '\t',
                        Some('x') => self.number(16, 2),
                        Some('u') => self.number(16, 4),
                        Some('U') => self.number(16, 8),
                        Some('0') => self.number(8, 3),
                        Some(other) => other,
                        None => return Err("a quote is not closed"),
                    };
                    self.push(letter);
                }
                Some(letter) => self.push(letter),
                None => return Err("a quote is not closed"),
            }
        }
    }

    /// Reads the code of a letter, with at most `most` digits.
    fn number(&mut self, radix: u32, most: usize) -> char {
        let mut code = 0_u32;
        for _ in 0..most {
            let digit = self
                .letters
                .peek()
                .and_then(|letter| letter.to_digit(radix));
            let Some(digit) = digit else { break };
            self.letters.next();
            code = code.saturating_mul(radix).saturating_add(digit);
        }
        char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
    }

    /// Reads `@{ name = "value"; … }` and encodes it as a form. A hash table as a value becomes the
    /// text of its form.
    fn hash_table(&mut self, depth: usize) -> Result<String, &'static str> {
        let depth = depth
            .checked_sub(1)
            .ok_or("hash tables are nested too deep")?;
        let outer = self.word.take();
        let mut pairs = Vec::new();
        let mut name: Option<String> = None;
        loop {
            match self.letters.next() {
                None => return Err("a hash table is not closed"),
                Some(end @ ('}' | ';' | '\n')) => {
                    if let (Some(name), Some(value)) = (name.take(), self.word.take()) {
                        pairs.push(format!("{}={}", encoded(&name), encoded(&value)));
                    }
                    if end == '}' {
                        break;
                    }
                }
                Some('=') if name.is_none() => name = self.word.take(),
                Some('@') if self.letters.next_if_eq(&'{').is_some() => {
                    let form = self.hash_table(depth)?;
                    self.push_text(&form);
                }
                Some(letter) if letter.is_whitespace() => {}
                Some(letter) => self.piece(letter)?,
            }
        }
        self.word = outer;
        Ok(pairs.join("&"))
    }

    /// True if the word is a name with `=`, before a value.
    fn is_assigned(&self) -> bool {
        self.word.as_deref().is_some_and(|word| word.ends_with('='))
    }

    /// True if the word is a file descriptor before a redirection.
    fn is_number(&self) -> bool {
        let word = self.word.as_deref().unwrap_or_default();
        !word.is_empty() && word.chars().all(|letter| letter.is_ascii_digit())
    }

    fn push(&mut self, letter: char) {
        self.word.get_or_insert_default().push(letter);
    }

    fn push_text(&mut self, text: &str) {
        self.word.get_or_insert_default().push_str(text);
    }

    fn end_word(&mut self) {
        self.words.extend(self.word.take());
    }

    fn end_command(&mut self) {
        self.end_word();
        if !self.words.is_empty() {
            self.commands.push(std::mem::take(&mut self.words));
        }
    }

    fn skip_line(&mut self) {
        while self.letters.next_if(|letter| *letter != '\n').is_some() {}
    }
}

fn is_of_name(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_'
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Words of all commands, with variables as `<name>`.
    fn split(text: &str) -> Vec<Vec<String>> {
        let mut found = RequestVariables::of(text);
        let commands = commands(text, &mut found).unwrap();
        let named = |word: &String| found.shown(word, |name| format!("<{name}>"));
        commands
            .iter()
            .map(|words| words.iter().map(named).collect())
            .collect()
    }

    #[test]
    fn splits_posix_commands() {
        assert_eq!(
            split(
                "curl -d \"id=$id&a=${X}-\\$y\" -d 'b=$z' -d $'c=it\\'s\\x21' \\\n u$1 | jq . # x"
            ),
            [
                vec![
                    "curl",
                    "-d",
                    "id=<id>&a=<X>-$y",
                    "-d",
                    "b=$z",
                    "-d",
                    "c=it's!",
                    "u<1>"
                ],
                vec!["jq", "."],
            ]
        );
        assert_eq!(
            split("a $(cat f) `x` > out b 2>&1"),
            [vec!["a", "<OUTPUT>", "<OUTPUT_2>", "b"]]
        );
        assert_eq!(
            split("a u?x=1&y=2; b\nc"),
            [vec!["a", "u?x=1&y=2"], vec!["b"], vec!["c"]]
        );
    }

    #[test]
    fn splits_cmd_commands() {
        assert_eq!(
            split("curl -X POST ^\r\n -d \"id=%ID%&dept=a%20b\" ^\n u"),
            [vec!["curl", "-X", "POST", "-d", "id=<ID>&dept=a%20b", "u"]]
        );
        assert_eq!(
            split("curl ^\"u^\" ^\n --data-raw ^\"a=b^&c=^\\^\"d^\\^\"^\""),
            [vec!["curl", "u", "--data-raw", "a=b&c=\"d\""]]
        );
    }

    #[test]
    fn splits_powershell_commands() {
        assert_eq!(
            split(
                "$r = Invoke-RestMethod -Uri \"$base/v1\" `\n -Body @{ id = $env:ID; 'a' = \"b c\"\n n=1 }"
            ),
            [vec![
                "<r>",
                "=",
                "Invoke-RestMethod",
                "-Uri",
                "<base>/v1",
                "-Body",
                "id=<ID>&a=b%20c&n=1"
            ]]
        );
    }

    #[test]
    fn rejects_unclosed_quotes() {
        for text in ["a 'b", "a \"b", "a $'b", "irm @{a='b"] {
            assert!(
                commands(text, &mut RequestVariables::of(text)).is_err(),
                "{text}"
            );
        }
    }
}
