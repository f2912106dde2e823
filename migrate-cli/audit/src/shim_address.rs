//! Where a moved program calls v1: the shim's address, or the variable that holds it.

use std::str::FromStr;

/// Address of the shim: `https://shim.example.com`, without `/v1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShimUrl {
    secure: bool,
    authority: String,
    prefix: String,
}

/// A text that is not the address of a shim.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is no address of a shim: give it as http://host:port or https://host")]
pub struct ShimUrlError(String);

impl FromStr for ShimUrl {
    type Err = ShimUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bare = text.trim_end_matches('/');
        let bare = bare.strip_suffix("/v1").unwrap_or(bare);
        let (secure, rest) = match bare.strip_prefix("https://") {
            Some(rest) => (true, Some(rest)),
            None => (false, bare.strip_prefix("http://")),
        };
        // The address is inserted between quotes in source code of any language.
        let plain = |c: char| {
            c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '/' | '_' | '[' | ']')
        };
        match rest {
            Some(rest)
                if rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '[')
                    && rest.chars().all(plain) =>
            {
                let split = rest.find('/').unwrap_or(rest.len());
                let (authority, prefix) = rest.split_at(split);
                Ok(Self {
                    secure,
                    authority: authority.to_owned(),
                    prefix: prefix.to_owned(),
                })
            }
            _ => Err(ShimUrlError(text.to_owned())),
        }
    }
}

/// The base URL at the shim; a stand-in if its address is not known.
pub fn base_at(shim: Option<&ShimUrl>) -> String {
    shim.map_or_else(
        || "https://SHIM/v1".to_owned(),
        |shim| format!("{}{}/v1", shim.scheme(), shim.host_and_prefix()),
    )
}

impl ShimUrl {
    /// `https://` or `http://`.
    pub(crate) fn scheme(&self) -> &'static str {
        if self.secure { "https://" } else { "http://" }
    }

    /// The host, with the port if there is one.
    pub(crate) fn authority(&self) -> &str {
        &self.authority
    }

    /// The path before `/v1`, usually empty.
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// True if it differs from v1's address only in the host name.
    pub(crate) fn is_plain_host(&self) -> bool {
        self.secure && self.prefix.is_empty() && !self.authority.contains(':')
    }

    /// Its base URL without the scheme and `/v1`.
    pub(crate) fn host_and_prefix(&self) -> String {
        format!("{}{}", self.authority, self.prefix)
    }
}

/// The name of an environment variable: `ZOOM_API_BASE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable(String);

/// A text that is not the name of an environment variable.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is no name for an environment variable: give capitals, digits and _")]
pub struct VariableError(String);

impl FromStr for Variable {
    type Err = VariableError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let starts = text.starts_with(|c: char| c.is_ascii_uppercase() || c == '_');
        let plain = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
        if starts && text.chars().all(plain) {
            Ok(Self(text.to_owned()))
        } else {
            Err(VariableError(text.to_owned()))
        }
    }
}

impl Variable {
    /// The name.
    pub(crate) fn name(&self) -> &str {
        &self.0
    }
}

/// Where the program calls v1 after its move to the shim.
///
/// A base URL at the shim fails no build. Paths below it are still findings: the program still uses
/// v1.
#[derive(Clone, Debug, Default)]
pub struct Moved {
    /// The shim's address.
    pub url: Option<ShimUrl>,
    /// The variable that holds it.
    pub variable: Option<Variable>,
}

/// Functions and tables through which languages read environment variables.
const ENVIRONMENTS: [&str; 11] = [
    "process.env",
    "os.environ.get",
    "os.getenv",
    "getenv",
    "ENV.fetch",
    "ENV",
    "$_ENV",
    "GetEnvironmentVariable",
    "getOrDefault",
    "env",
    "$",
];

/// The environment variable whose default is a literal, from the text before the literal on its
/// line: `process.env.ZOOM_API_BASE || '`.
pub(crate) fn default_of(before: &str) -> Option<&str> {
    let head = before.trim_end().trim_end_matches(['"', '\'', '`']);
    let head = head.trim_end();
    let head = ["||", "??", "?:", ",", ":-"]
        .iter()
        .find_map(|operator| head.strip_suffix(operator))?
        .trim_end();
    let head = head.trim_end_matches([')', ']', '"', '\'']);
    let start = head
        .rfind(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .map_or(0, |at| at + 1);
    let (lookup, name) = head.split_at_checked(start)?;
    let lookup = lookup.trim_end_matches(['"', '\'', '(', '[', '{', '.']);
    let known = ENVIRONMENTS.iter().any(|known| {
        lookup.strip_suffix(known).is_some_and(|rest| {
            *known == "$" || !rest.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        })
    });
    (known && !name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_only_plain_addresses() {
        let parsed = |text: &str| {
            text.parse::<ShimUrl>()
                .ok()
                .map(|url| format!("{}{}", url.scheme(), url.host_and_prefix()))
        };
        assert_eq!(
            parsed("https://shim.example.com/v1/"),
            Some("https://shim.example.com".into())
        );
        assert_eq!(
            parsed("http://127.0.0.1:8080/zoom"),
            Some("http://127.0.0.1:8080/zoom".into())
        );
        for wrong in ["https://x'y", "shim", "https:///v1", "https://", "ftp://a"] {
            assert_eq!(parsed(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn finds_the_variable_of_a_default_in_every_language() {
        for before in [
            "const base = process.env.BASE || '",
            "x = os.environ.get(\"BASE\", \"",
            "$x = getenv('BASE') ?: '",
            "X = ENV.fetch('BASE', '",
            "var x = System.Environment.GetEnvironmentVariable(\"BASE\") ?? \"",
            "String x = System.getenv().getOrDefault(\"BASE\", \"",
            "X=\"${BASE:-",
        ] {
            assert_eq!(default_of(before), Some("BASE"), "{before}");
        }
        for before in ["post('x', '", "a || '", "base = '", "", "f(a, "] {
            assert_eq!(default_of(before), None, "{before}");
        }
    }
}
