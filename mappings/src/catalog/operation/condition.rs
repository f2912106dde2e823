//! When a call is made, and what its answer must hold.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::super::{option::OptionValue, place::Pointer, wanted::Wanted};

/// What must hold for a call to be made; all parts of it.
#[derive(Debug, Default)]
pub struct Condition {
    /// One of these parameters was given.
    pub given: Vec<String>,
    /// All of these parameters were given.
    pub all_given: Vec<String>,
    /// One of these parameters was not given.
    pub missing: Vec<String>,
    /// No other call has anything to do.
    pub nothing_else: bool,
    /// The site chose so.
    pub options: Vec<(String, OptionValue)>,
    /// A parameter has one of these values, or none of them; v1's default counts.
    pub parameter: Option<(String, Wanted)>,
    /// What an earlier call found.
    pub answer: Option<AnswerTest>,
    /// An earlier call failed with one of these v2 codes; with any if empty.
    pub error: Option<(usize, Vec<i64>)>,
    /// v2 did a write of the plan for an earlier equal request, which was left unfinished.
    pub resumed: bool,
    /// v2 is asked who did a call, as [`Then::Resume`](super::Then::Resume) says; never made otherwise.
    pub disputed: bool,
    /// A stored value of this document decides what is sent.
    pub current: Option<String>,
    /// The list that the call is made for has no more entries than these.
    pub entries_at_most: Option<usize>,
}

/// What an earlier call found.
#[derive(Debug)]
pub struct AnswerTest {
    /// The call.
    pub call: usize,
    /// The JSON pointer in its answer.
    pub at: String,
    /// What is to be there.
    pub wanted: Wanted,
}

/// What an answer must hold to count as one.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "CheckShape")]
pub struct Check {
    /// What is compared.
    pub compared: Compared,
    /// The named error otherwise.
    pub otherwise: String,
    /// Only if the site chose so.
    pub options: Vec<(String, OptionValue)>,
    /// An answer without the members passes without a warning.
    pub absent_passes: bool,
}

/// What a check compares.
#[derive(Clone, Debug)]
pub enum Compared {
    /// A parameter, if it was given, with one of these members, in any case; of an array, with one
    /// of its elements.
    Parameter(String, Vec<String>),
    /// A member with values.
    Member(String, Wanted),
    /// A member with v2's id of the subject, if an earlier answer named it.
    Subject(String),
}

/// A check as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CheckShape {
    parameter: Option<String>,
    #[serde(default)]
    equals: Vec<Pointer>,
    at: Option<Pointer>,
    #[serde(default)]
    is: Vec<Value>,
    #[serde(default)]
    is_not: Vec<Value>,
    #[serde(default)]
    subject: bool,
    otherwise: String,
    #[serde(default)]
    option: BTreeMap<String, OptionValue>,
    absent: Option<Absent>,
}

/// What becomes of a check whose members are absent.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Absent {
    Pass,
}

impl TryFrom<CheckShape> for Check {
    type Error = String;

    fn try_from(shape: CheckShape) -> Result<Self, String> {
        let is_fixed = !shape.is.is_empty() || !shape.is_not.is_empty();
        let compared = match (shape.parameter, shape.at) {
            (Some(_), None) if shape.equals.is_empty() => {
                return Err("a check of a parameter `equals` a member".to_owned());
            }
            (Some(parameter), None) => {
                let members = shape.equals.into_iter().map(|member| member.0);
                Compared::Parameter(parameter, members.collect())
            }
            (None, Some(_)) if shape.subject && is_fixed => {
                return Err("a check of the `subject` has no `is` and no `is_not`".to_owned());
            }
            (None, Some(member)) if shape.subject => Compared::Subject(member.0),
            (None, Some(member)) => {
                Compared::Member(member.0, Wanted::new(shape.is, shape.is_not, None)?)
            }
            _ => return Err("a check has a `parameter` or a member `at` a pointer".to_owned()),
        };
        Ok(Self {
            compared,
            otherwise: shape.otherwise,
            options: shape.option.into_iter().collect(),
            absent_passes: shape.absent.is_some(),
        })
    }
}
