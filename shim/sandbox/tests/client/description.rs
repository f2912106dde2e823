//! v2's documented responses: `answers.txt` has one line per endpoint and status with the members
//! of the body as `place:type`.

use std::sync::LazyLock;

use serde_json::Value;

static ANSWERS: LazyLock<Vec<Described>> = LazyLock::new(|| {
    include_str!("answers.txt")
        .lines()
        .filter_map(Described::read)
        .collect()
});

struct Described {
    method: &'static str,
    path: Vec<&'static str>,
    status: u16,
    members: Vec<(&'static str, &'static str)>,
}

impl Described {
    fn read(line: &'static str) -> Option<Self> {
        let mut words = line.split(' ');
        Some(Self {
            method: words.next()?,
            path: words.next()?.split('/').collect(),
            status: words.next()?.parse().ok()?,
            members: words.filter_map(|word| word.rsplit_once(':')).collect(),
        })
    }

    fn is_for(&self, method: &str, path: &[&str]) -> bool {
        let fits = |(own, given): (&&str, &&str)| own == given || own.starts_with('{');
        self.method == method
            && self.path.len() == path.len()
            && self.path.iter().zip(path).all(fits)
    }

    fn check(&self, place: &str, value: &Value, strange: &mut Vec<String>) {
        let fits = |kind: &str| match value {
            Value::String(_) => kind == "s",
            Value::Bool(_) => kind == "b",
            Value::Number(number) => kind == "n" || kind == "i" && !number.is_f64(),
            Value::Array(_) => kind == "a",
            Value::Object(_) => kind == "o",
            Value::Null => false,
        };
        let kind = self.members.iter().find(|(name, _)| *name == place);
        if !place.is_empty() && !kind.is_some_and(|(_, kind)| fits(kind) || *kind == "any") {
            strange.push(format!("{place} = {value}"));
        }
        match value {
            Value::Object(members) => {
                for (name, value) in members {
                    let dot = if place.is_empty() { "" } else { "." };
                    self.check(&format!("{place}{dot}{name}"), value, strange);
                }
            }
            Value::Array(entries) => {
                for entry in entries {
                    self.check(&format!("{place}[]"), entry, strange);
                }
            }
            _ => {}
        }
    }
}

/// Fails if a successful response has an undocumented status, member or type. Endpoints without a
/// line pass.
#[track_caller]
pub(crate) fn check(method: &str, path: &str, status: u16, text: &str) {
    let path: Vec<_> = path
        .split('?')
        .next()
        .unwrap_or_default()
        .split('/')
        .collect();
    let mut endpoint: Vec<_> = ANSWERS
        .iter()
        .filter(|one| one.is_for(method, &path))
        .collect();
    // Prefer the template with the fewest placeholders.
    endpoint.sort_by_key(|one| {
        one.path
            .iter()
            .filter(|segment| segment.starts_with('{'))
            .count()
    });
    let Some(first) = endpoint.first() else {
        return;
    };
    if status >= 400 {
        return;
    }
    let answer = endpoint
        .iter()
        .find(|one| one.path == first.path && one.status == status);
    let answer =
        answer.unwrap_or_else(|| panic!("{method} {path:?} is not described with {status}"));
    let mut strange = Vec::new();
    if answer.members.is_empty() {
        assert_eq!(text, "", "{method} {path:?} has a body");
    } else {
        let body = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
        answer.check("", &body, &mut strange);
    }
    assert!(
        strange.is_empty(),
        "{method} {path:?} does not describe {strange:#?}"
    );
}
