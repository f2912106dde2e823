//! One operation: the v2 calls that serve it, and its losses with reasons, as in `migrate explain`.

use std::collections::BTreeSet;

use mappings::{
    Catalog,
    catalog::operation::{Operation, ParameterUse, View},
    fidelity::Fidelity,
};
use maud::{Markup, html};
use recording::comparison;

use super::page::table;

/// A parameter or answer field that is not exact.
struct Loss<'a> {
    name: &'a str,
    fidelity: Fidelity,
    reason: &'a str,
}

pub(super) fn body(catalog: &Catalog, operation: &Operation) -> Markup {
    let parameters = parameters(catalog, operation);
    let mut fields = Vec::new();
    if let Some(view) = comparison::view(catalog, operation) {
        add_fields(catalog, view, &mut fields);
    }
    // A field can be lossy in both directions; `id` attributes are unique.
    let mut seen = BTreeSet::new();
    html! {
        p { "For details, run " code { "migrate explain " (operation.name) } "." }
        section aria-labelledby="calls" {
            h2 id="calls" { "Served by" }
            @let requests = operation.v2_requests();
            @if requests.is_empty() { p { "No v2 call." } }
            @else {
                ul { @for (method, path) in requests { li { code { (method.as_str()) " " (path) } } } }
            }
            @if !operation.is_served() { p { "This shim does not serve it yet." } }
        }
        section aria-labelledby="parameters" {
            h2 id="parameters" { "Parameters that are not exact" }
            (losses("Changed or dropped", &parameters, &mut seen))
        }
        section aria-labelledby="fields" {
            h2 id="fields" { "Answer fields that are not exact" }
            (losses("Different from v1", &fields, &mut seen))
        }
    }
}

fn losses<'a>(caption: &str, losses: &[Loss<'a>], seen: &mut BTreeSet<&'a str>) -> Markup {
    if losses.is_empty() {
        return html! { p { "None." } };
    }
    let rows = html! {
        @for loss in losses {
            tr id=[seen.insert(loss.name).then_some(loss.name)] {
                th scope="row" { (loss.name) }
                td data-label="fidelity" {
                    @if loss.fidelity == Fidelity::None { span.bad { "gone" } }
                    @else { span.lossy { "lossy" } }
                }
                td.wide data-label="reason" { (loss.reason) }
            }
        }
    };
    table(
        caption,
        &[("name", ""), ("fidelity", ""), ("reason", "")],
        &rows,
    )
}

fn parameters<'a>(catalog: &'a Catalog, operation: &'a Operation) -> Vec<Loss<'a>> {
    let loss = |parameter: &'a mappings::catalog::operation::Parameter| {
        let (field, _) = catalog.field(parameter.field?)?;
        let (fidelity, reason) = match &parameter.usage {
            ParameterUse::Dropped(reason) => (Fidelity::None, Some(reason.as_str())),
            _ => (field.fidelity, field.reason.as_deref()),
        };
        (fidelity != Fidelity::Exact).then_some(Loss {
            name: &parameter.name,
            fidelity,
            reason: reason.unwrap_or_default(),
        })
    };
    operation.parameters.iter().filter_map(loss).collect()
}

fn add_fields<'a>(catalog: &'a Catalog, view: &'a View, losses: &mut Vec<Loss<'a>>) {
    for member in &view.members {
        let Some((field, part)) = catalog.field(member.field) else {
            continue;
        };
        if field.fidelity != Fidelity::Exact {
            losses.push(Loss {
                name: &part.name,
                fidelity: field.fidelity,
                reason: field.reason.as_deref().unwrap_or_default(),
            });
        }
    }
    losses.extend(view.none.iter().map(|gone| Loss {
        name: &gone.name,
        fidelity: Fidelity::None,
        reason: &gone.reason,
    }));
    if let Some(items) = view.items.and_then(|items| catalog.view(items)) {
        add_fields(catalog, items, losses);
    }
}
