//! Conditions of calls and checks of responses.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::super::{option::OptionValue, place::Pointer, predicate::Predicate};

/// Condition of a call; all set members must hold.
#[derive(Debug, Default)]
pub struct Condition {
    /// At least one of these parameters is given.
    pub given: Vec<String>,
    /// All of these parameters are given.
    pub all_given: Vec<String>,
    /// At least one of these parameters is missing.
    pub missing: Vec<String>,
    /// No other call is needed.
    pub nothing_else: bool,
    /// Option values.
    pub options: Vec<(String, OptionValue)>,
    /// Test of a parameter's value, v1's default included.
    pub parameter: Option<(String, Predicate)>,
    /// Test of an earlier response.
    pub answer: Option<AnswerTest>,
    /// An earlier call failed with one of these v2 codes; any code if empty.
    pub error: Option<(usize, Vec<i64>)>,
    /// v2 executed a write of the plan for an earlier identical request that did not finish.
    pub resumed: bool,
    /// Only made to verify another call, for [`Then::Resume`](super::Then::Resume).
    pub verification: bool,
    /// A stored value in this document decides what is sent.
    pub current: Option<String>,
    /// Maximum length of the list that the call fans out over.
    pub entries_at_most: Option<usize>,
}

/// Test of an earlier response.
#[derive(Debug)]
pub struct AnswerTest {
    /// Index of the call.
    pub call: usize,
    /// JSON pointer in its response.
    pub at: String,
    /// Expected value.
    pub predicate: Predicate,
}

/// Check of a response.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "CheckShape")]
pub struct Check {
    /// Compared values.
    pub compared: Compared,
    /// Named error on mismatch.
    pub otherwise: String,
    /// Option values under which the check applies.
    pub options: Vec<(String, OptionValue)>,
    /// Pass without a warning if the members are absent.
    pub absent_passes: bool,
}

/// Values that a check compares.
#[derive(Clone, Debug)]
pub enum Compared {
    /// A parameter, if given, with one of these members, ignoring case; for an array, with its
    /// elements.
    Parameter(String, Vec<String>),
    /// A member with expected values.
    Member(String, Predicate),
    /// A member with the subject's v2 id, if an earlier response had it.
    Subject(String),
}

/// TOML form of a check.
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

/// Handling of absent members.
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
                Compared::Member(member.0, Predicate::new(shape.is, shape.is_not, None)?)
            }
            _ => return Err("a check needs a `parameter`, or `at` with a pointer".to_owned()),
        };
        Ok(Self {
            compared,
            otherwise: shape.otherwise,
            options: shape.option.into_iter().collect(),
            absent_passes: shape.absent.is_some(),
        })
    }
}
