//! Response of an operation: its fields, their sources, and v1 fields that v2 lacks.

use mappings::{
    Catalog,
    catalog::{
        field::{Field, Kind, Place},
        operation::{Member, Plan, View},
    },
    fidelity::Fidelity,
};
use serde::Serialize;
use serde_json::Value;

use super::{Counts, wording};

/// Fields of a response.
#[derive(Debug, Serialize)]
pub(crate) struct AnswerEntry<'a> {
    pub(crate) counts: Counts,
    pub(crate) fields: Vec<AnswerField<'a>>,
    /// The first list.
    pub(crate) items: Option<ItemsEntry<'a>>,
    /// Fields of its lists and objects, at any depth.
    pub(crate) lists: Vec<ItemsEntry<'a>>,
}

/// Fields of the entries of a list, or of an object.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ItemsEntry<'a> {
    /// Path of the list: `meetings`, `meetings.recording_files`.
    pub(crate) list: String,
    #[serde(skip)]
    pub(crate) is_list: bool,
    pub(crate) counts: Counts,
    pub(crate) fields: Vec<AnswerField<'a>>,
}

/// One response field.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct AnswerField<'a> {
    pub(crate) name: &'a str,
    pub(crate) r#type: &'static str,
    pub(crate) fidelity: Fidelity,
    pub(crate) reason: Option<&'a str>,
    /// Sources of the value, in order of preference.
    pub(crate) sources: Vec<Source<'a>>,
    pub(crate) conversion: &'static str,
    /// v1's value if v2 has none; if `None`, the field is omitted.
    pub(crate) empty: Option<&'a Value>,
    /// Catalog file and line.
    pub(crate) catalog: String,
}

/// Source of the value of a response field.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "from", rename_all = "lowercase")]
pub(crate) enum Source<'a> {
    /// A v2 response.
    V2 { call: &'a str, at: String },
    /// A request parameter.
    Parameter { name: &'a str },
    /// Current time.
    Clock,
    /// Site configuration.
    Configuration { name: &'a str },
    /// Constant value.
    Fixed { value: &'a Value },
    /// Computed from the v2 page.
    Page { call: &'a str },
    /// Any other place.
    Made {
        /// In catalog notation: `count:users`.
        place: String,
    },
}

impl Source<'_> {
    /// Short description.
    pub(crate) fn in_short(&self) -> String {
        match self {
            Self::V2 { call, at } => format!("{call}: {at}"),
            Self::Parameter { name } => format!("{name} as given"),
            Self::Clock => "time of the answer".to_owned(),
            Self::Configuration { name } => format!("configuration: {name}"),
            Self::Fixed { value } => format!("always {}", wording::breakable(value)),
            Self::Page { call } => format!("{call}: the page"),
            Self::Made { place } => place.clone(),
        }
    }
}

/// Describes a view and the calls that fill it.
pub(crate) fn answer_entry<'a>(
    catalog: &'a Catalog,
    plan: Option<&'a Plan>,
    view: usize,
) -> Option<AnswerEntry<'a>> {
    let outer = catalog.view(view)?;
    let fields = fields(catalog, plan, outer);
    let mut lists = Vec::new();
    add_lists(catalog, plan, outer, "", &mut lists);
    Some(AnswerEntry {
        counts: counts(&fields),
        fields,
        items: lists.iter().find(|list| list.is_list).cloned(),
        lists,
    })
}

/// Adds the lists and objects of a view, recursively.
fn add_lists<'a>(
    catalog: &'a Catalog,
    plan: Option<&'a Plan>,
    outer: &'a View,
    above: &str,
    lists: &mut Vec<ItemsEntry<'a>>,
) {
    for member in &outer.members {
        let field = catalog.field(member.field);
        let inner = member.view.and_then(|view| catalog.view(view));
        let (Some((_, part)), Some(view)) = (field, inner) else {
            continue;
        };
        let fields = fields(catalog, plan, view);
        let list = format!("{above}{}", part.name);
        let below = format!("{list}.");
        lists.push(ItemsEntry {
            list,
            is_list: part.kind == Kind::List,
            counts: counts(&fields),
            fields,
        });
        add_lists(catalog, plan, view, &below, lists);
    }
}

fn counts(fields: &[AnswerField<'_>]) -> Counts {
    Counts::of(fields.iter().map(|field| field.fidelity))
}

/// v1's fields: those in the view and those that v2 cannot fill.
fn fields<'a>(
    catalog: &'a Catalog,
    plan: Option<&'a Plan>,
    view: &'a View,
) -> Vec<AnswerField<'a>> {
    let shown = view.members.iter().filter_map(|member| {
        let (field, part) = catalog.field(member.field)?;
        let (fidelity, reason) = if member.empty {
            (Fidelity::Exact, None)
        } else {
            (field.fidelity, field.reason.as_deref())
        };
        Some(AnswerField {
            name: &part.name,
            r#type: part.kind.name(),
            fidelity,
            reason,
            sources: sources(plan, member, field, part.empty.as_ref()),
            conversion: if member.empty {
                ""
            } else {
                field.conversion.words()
            },
            empty: part.empty.as_ref(),
            catalog: field.location.to_string(),
        })
    });
    let gone = view.none.iter().filter_map(|gone| {
        let (field, part) = catalog.field(gone.field)?;
        Some(AnswerField {
            name: &part.name,
            r#type: part.kind.name(),
            fidelity: Fidelity::None,
            reason: Some(&gone.reason),
            sources: Vec::new(),
            conversion: "",
            empty: None,
            catalog: field.location.to_string(),
        })
    });
    shown.chain(gone).collect()
}

fn sources<'a>(
    plan: Option<&'a Plan>,
    member: &'a Member,
    field: &'a Field,
    empty: Option<&'a Value>,
) -> Vec<Source<'a>> {
    if let Some(value) = field.always.as_ref().or(empty.filter(|_| member.empty)) {
        return vec![Source::Fixed { value }];
    }
    let places = member.from.as_ref().unwrap_or(&field.places);
    let sources = places.iter().flat_map(|place| match place {
        Place::Given(name) => vec![Source::Parameter { name }],
        Place::Clock => vec![Source::Clock],
        Place::Site(name) => vec![Source::Configuration { name }],
        Place::List(name) => {
            let calls = plan.into_iter().flat_map(|plan| &plan.calls).rev();
            let makes = calls.filter(|call| call.list().is_some_and(|(list, _, _)| list == name));
            makes
                .map(|call| Source::Page { call: &call.name })
                .collect()
        }
        Place::Document(place) => {
            let calls = plan.into_iter().flat_map(|plan| &plan.calls).rev();
            calls
                .filter_map(|call| {
                    let of_list = call.list().map(|(_, _, document)| document);
                    let documents = [call.reads.as_deref(), of_list];
                    if documents.contains(&Some(&place.document)) {
                        let at = wording::dotted(&place.pointer);
                        Some(Source::V2 {
                            call: &call.name,
                            at,
                        })
                    } else if of_list.is_some() && place.document == mappings::catalog::PAGE {
                        Some(Source::Page { call: &call.name })
                    } else {
                        None
                    }
                })
                .collect()
        }
        other => vec![Source::Made {
            place: wording::place(other),
        }],
    });
    sources.collect()
}
