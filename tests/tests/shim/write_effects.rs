//! A write with the effects of its calls in v2.

use end_to_end::Stage;
use serde_json::Value;

use crate::requests::{parse, success};

/// A v1 write.
pub(crate) struct Write {
    pub(crate) operation: String,
    pub(crate) given: Vec<(String, String)>,
    /// Effects by call name; a plan with one write may use any name.
    pub(crate) effects: Vec<Named>,
}

pub(crate) type Named = (&'static str, Effect);

/// Effect of a call in v2.
pub(crate) enum Effect {
    /// A member has this value.
    Member {
        path: String,
        at: &'static str,
        is: Value,
    },
    /// The values of a member of the entries of a list, all present or all absent.
    Listed {
        path: String,
        list: &'static str,
        member: &'static str,
        of: Vec<String>,
        present: bool,
    },
}

impl Effect {
    /// Number of effects of the call.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Member { .. } => 1,
            Self::Listed { of, .. } => of.len(),
        }
    }

    /// Number of effects visible in v2.
    pub(crate) async fn done(&self, stage: &Stage) -> usize {
        match self {
            Self::Member { path, at, is } => {
                usize::from(stage.v2(path).await.pointer(at) == Some(is))
            }
            Self::Listed {
                path,
                list,
                member,
                of,
                present,
            } => {
                let shown = stage.v2(path).await;
                // A list without entries may be absent.
                let entries = shown.pointer(list).and_then(Value::as_array);
                let entries = entries.map(Vec::as_slice).unwrap_or_default();
                let is_listed =
                    |value: &&String| entries.iter().any(|entry| entry[*member] == value.as_str());
                of.iter()
                    .filter(|value| is_listed(value) == *present)
                    .count()
            }
        }
    }
}

pub(crate) fn is(path: impl Into<String>, at: &'static str, is: impl Into<Value>) -> Effect {
    Effect::Member {
        path: path.into(),
        at,
        is: is.into(),
    }
}

pub(crate) fn listed(
    path: &str,
    at: (&'static str, &'static str),
    of: &str,
    present: bool,
) -> Effect {
    Effect::Listed {
        path: path.to_owned(),
        list: at.0,
        member: at.1,
        of: of.split(',').map(str::to_owned).collect(),
        present,
    }
}

pub(crate) fn write(request: &str, effects: impl IntoIterator<Item = Named>) -> Write {
    let (operation, given) = parse(request);
    let given = given.into_iter();
    Write {
        operation: operation.to_owned(),
        given: given
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
        effects: effects.into_iter().collect(),
    }
}

pub(crate) async fn made(stage: &Stage, request: &str, at: &str) -> String {
    let answer = success(stage, request).await;
    match answer.pointer(at) {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => panic!("nothing at {at} in {answer}"),
    }
}
