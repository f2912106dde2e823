//! Points base URLs of v1 at the shim: whole URLs, and hosts in constants of their own.

use std::path::Path;

use crate::fix::{
    page::{Base, Page},
    splice::Edit,
};
use crate::walk::unusable_ignore_file;
use crate::{
    knowledge::Knowledge, names::last_identifier, rules::Rules, shim_address::ShimUrl, source,
};

/// Reason why a base URL is not fixed.
pub(super) type Objection = String;

/// Size above which a file is not searched for a constant, in bytes.
const LARGEST: u64 = 1 << 20;

/// Target and context of the edits.
pub(super) struct Aim<'a> {
    pub(super) shim: &'a ShimUrl,
    pub(super) rules: &'a Rules,
    pub(super) knowledge: &'a Knowledge,
    pub(super) others: &'a Others<'a>,
}

impl Aim<'_> {
    /// The edits that point a base URL at the shim.
    pub(super) fn edits(
        &self,
        page: &Page<'_>,
        path: &str,
        base: &Base,
    ) -> Result<Vec<Edit>, Objection> {
        if let Some(whole) = &base.whole
            && page
                .text
                .get(whole.clone())
                .is_some_and(|text| text.ends_with("v1"))
        {
            return self.whole(page, whole.start, whole.end).map(|e| vec![e]);
        }
        self.is_only_of_v1(page, path, base)?;
        Ok(self.parts(page, base))
    }

    /// The edits for a host that is concatenated with the version elsewhere.
    pub(super) fn host(
        &self,
        page: &Page<'_>,
        path: &str,
        base: &Base,
    ) -> Result<Vec<Edit>, Objection> {
        let plain = self.shim.is_plain_host();
        if base.scheme.is_none() && !plain || !self.shim.prefix().is_empty() {
            return Err(
                "the host stands alone, and the shim's address is more than a host: \
                 only --shim https://HOST can take its place"
                    .to_owned(),
            );
        }
        if may_call_v2(page.text) {
            return Err("the host may serve more than v1 in this file".to_owned());
        }
        self.is_only_of_v1(page, path, base)?;
        Ok(self.parts(page, base))
    }

    fn whole(&self, page: &Page<'_>, from: usize, to: usize) -> Result<Edit, Objection> {
        let source = page.text.get(from..to).unwrap_or_default();
        let encoded = source.contains('%');
        let text = if encoded {
            unencoded(source)
        } else {
            source.to_owned()
        };
        let escaped = text.contains("\\/");
        let colon = if text.contains("\\:") { "\\:" } else { ":" };
        let scheme = match text.find("//").or_else(|| text.find("\\/\\/")) {
            Some(0) => "//".to_owned(),
            Some(_) => self.shim.scheme().replace(':', colon),
            None => String::new(),
        };
        if matches!(scheme.as_str(), "" | "//") && self.shim.scheme() != "https://" {
            return Err("it has no scheme of its own, and the shim is not at https://".to_owned());
        }
        let mut with = format!("{scheme}{}/v1", self.shim.host_and_prefix());
        if escaped {
            with = with.replace('/', "\\/");
        }
        if encoded {
            with = with.replace(':', "%3A").replace('/', "%2F");
        }
        // The first slash can have a backslash before it.
        let bytes = page.text.as_bytes();
        let lead = usize::from(escaped && scheme == "//" && bytes.get(from - 1) == Some(&b'\\'));
        Ok(Edit::new(from - lead..to, with))
    }

    fn parts(&self, page: &Page<'_>, base: &Base) -> Vec<Edit> {
        let mut edits = Vec::new();
        if let Some(scheme) = &base.scheme
            && page.text.get(scheme.clone()) != Some(self.shim.scheme())
        {
            edits.push(Edit::new(scheme.clone(), self.shim.scheme()));
        }
        let (host, lead) = match &base.lead {
            Some(lead) => (
                self.shim.authority().to_owned(),
                Some((lead, self.shim.prefix())),
            ),
            None => (self.shim.host_and_prefix(), None),
        };
        edits.push(Edit::new(base.host.clone(), host));
        edits.extend(lead.map(|(lead, prefix)| Edit::new(lead.clone(), prefix)));
        edits
    }

    /// Fails if the host is in a constant that may also be used for v2 or the token endpoint.
    fn is_only_of_v1(&self, page: &Page<'_>, path: &str, base: &Base) -> Result<(), Objection> {
        let unknown = || "the host is put together in a way that cannot be followed".to_owned();
        let owner = page.owner(base.host.start).ok_or_else(unknown)?;
        let target = page
            .extract
            .texts
            .get(owner)
            .and_then(|text| text.target.as_deref())
            .map(last_identifier)
            .filter(|name| name.len() > 2);
        let Some(name) = target else {
            return if owner == base.seen_in {
                Ok(())
            } else {
                Err(unknown())
            };
        };
        if owner == base.seen_in && base.whole.is_none() && words(page.text, name) == 0 {
            return Ok(());
        }
        // The constant may be used outside of URLs, where only a bare host can replace it.
        let strict = base.scheme.is_none() && !self.shim.is_plain_host();
        if strict || may_call_v2(page.text) {
            let (uses, all) = page.uses_of(name, self.rules, self.knowledge);
            if !all || words(page.text, name) > uses + 1 {
                return Err(format!("{name} may be the host of more than v1"));
            }
        }
        let other = self
            .others
            .with_word(name, path, |text| strict || may_call_v2(text));
        match other {
            Some(other) => Err(format!(
                "{name} may be the host of more than v1: see {other}"
            )),
            None => Ok(()),
        }
    }
}

/// Decodes the slashes and colons of a percent-encoded URL.
fn unencoded(text: &str) -> String {
    let pairs = [("%2F", "/"), ("%2f", "/"), ("%3A", ":"), ("%3a", ":")];
    pairs.iter().fold(text.to_owned(), |text, (code, sign)| {
        text.replace(code, sign)
    })
}

/// True if a file mentions v2 or OAuth, which the shim's address does not serve.
fn may_call_v2(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    lower.contains("v2") || lower.contains("oauth")
}

/// The number of occurrences of a whole word.
fn words(text: &str, word: &str) -> usize {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word)
        .filter(|(at, _)| {
            let before = text.get(..*at).and_then(|head| head.chars().next_back());
            let after = text
                .get(at + word.len()..)
                .and_then(|rest| rest.chars().next());
            !before.is_some_and(is_part) && !after.is_some_and(is_part)
        })
        .count()
}

/// The other files of the tree. They are read only to follow a constant.
pub(super) struct Others<'a> {
    root: &'a Path,
}

impl<'a> Others<'a> {
    pub(super) fn below(root: &'a Path) -> Self {
        Self { root }
    }

    /// Another file that contains a whole word and that `fits` accepts.
    fn with_word(&self, word: &str, except: &str, fits: impl Fn(&str) -> bool) -> Option<String> {
        let walk = ignore::WalkBuilder::new(self.root)
            .hidden(false)
            .filter_entry(|entry| {
                entry.file_name() != ".git" && unusable_ignore_file(entry.path()).is_none()
            })
            .max_filesize(Some(LARGEST))
            .build();
        for entry in walk.filter_map(Result::ok) {
            let path = entry.path().strip_prefix(self.root).unwrap_or(entry.path());
            let path = path.to_string_lossy().replace('\\', "/");
            let is_file = entry.file_type().is_some_and(|kind| kind.is_file());
            if !is_file || path == except {
                continue;
            }
            let Ok(bytes) = std::fs::read(entry.path()) else {
                continue;
            };
            if memchr::memmem::find(&bytes, word.as_bytes()).is_none() {
                continue;
            }
            let text = source::decode(&bytes);
            if words(&text, word) > 0 && fits(&text) {
                return Some(path);
            }
        }
        None
    }
}
