//! Builds list responses.

use serde_json::{Value, json};

use super::Call;
use super::catalog::{Dates, List};
use super::template::shown;
use crate::calendar;
use crate::error::ApiError;
use crate::paging::PageRequest;
use crate::request::Members;

impl List {
    /// # Errors
    ///
    /// If the page token or page number is invalid.
    pub(crate) fn answer(&self, call: &Call<'_>) -> Result<Value, ApiError> {
        let range = self.dates.as_ref().map(|dates| dates.range(call));
        let mut entries = self.matching_entries(call, range.as_ref())?;
        if let Some((key, wanted)) = &self.single {
            return self.single_entry(call, entries, key, wanted);
        }
        if let Some(member) = &self.newest {
            let value = |entry: &Value| entry.get(member).map(shown);
            entries.sort_by_key(|(_, entry)| std::cmp::Reverse(value(entry)));
            // Page tokens need ascending numbers.
            for (number, (position, _)) in (1..).zip(&mut entries) {
                *position = number;
            }
        }
        let all = if self.extra.is_empty() {
            Value::Null
        } else {
            entries.iter().map(|(_, entry)| entry.clone()).collect()
        };
        let (page, description) = self.page(call, entries)?;
        let shown: Value = page
            .into_iter()
            .map(|entry| self.shown(call, entry))
            .collect();
        let mut document = Members::new();
        if let (Some((from, to)), Some(Dates { shown: true, .. })) = (&range, &self.dates) {
            document.insert("from".to_owned(), from.as_str().into());
            document.insert("to".to_owned(), to.as_str().into());
        }
        document.extend(description);
        document.insert(self.entries.clone(), shown);
        let named = call.named();
        let scope = call.scope(&named);
        let extra = scope.inner(&[("all", &all)]).members(&self.extra);
        if let Some(member) = &self.within {
            document = Members::from_iter([(member.clone(), Value::Object(document))]);
        }
        document.extend(extra);
        Ok(Value::Object(document))
    }

    /// Entry selected by `single`.
    fn single_entry(
        &self,
        call: &Call<'_>,
        entries: Vec<(u64, Value)>,
        key: &str,
        wanted: &str,
    ) -> Result<Value, ApiError> {
        let named = call.named();
        let scope = call.scope(&named);
        let wanted = scope.plain(wanted);
        let is_wanted = |entry: &Value| {
            let n = entry.get("n").unwrap_or(&Value::Null);
            scope.inner(&[("self", entry), ("n", n)]).plain(key) == wanted
        };
        let found = entries.into_iter().find(|(_, entry)| is_wanted(entry));
        match (found, &call.endpoint.unknown) {
            (Some((_, entry)), _) => Ok(self.shown(call, entry)),
            (None, Some(error)) => Err(call.error(error)),
            (None, None) => Ok(Value::Null),
        }
    }

    fn page(
        &self,
        call: &Call<'_>,
        entries: Vec<(u64, Value)>,
    ) -> Result<(Vec<Value>, Members), ApiError> {
        let has_member = |name: &str| self.page.iter().any(|own| own == name);
        if !has_member("next_page_token") {
            let total = Members::from_iter([("total_records".to_owned(), entries.len().into())]);
            let description = if has_member("total_records") {
                total
            } else {
                Members::new()
            };
            return Ok((
                entries.into_iter().map(|(_, entry)| entry).collect(),
                description,
            ));
        }
        let request = PageRequest {
            list: &call.list_name(),
            parameters: &call.query,
            numbered: call.endpoint.has_query_parameter("page_number"),
        };
        let (page, mut description) =
            call.account
                .page_tokens
                .page(entries, &request, &call.account.config, call.now())?;
        description.retain(|name, _| has_member(name));
        Ok((page, description))
    }

    fn shown(&self, call: &Call<'_>, entry: Value) -> Value {
        let Some(view) = &self.entry else {
            return entry;
        };
        let named = call.named();
        let scope = call.scope(&named);
        match (entry.get("n"), entry.get("person")) {
            (Some(n), Some(person)) => view.of(&scope.inner(&[("n", n), ("person", person)])),
            _ => view.of(&scope.inner(&[("self", &entry)])),
        }
    }

    fn matching_entries(
        &self,
        call: &Call<'_>,
        range: Option<&(String, String)>,
    ) -> Result<Vec<(u64, Value)>, ApiError> {
        let named = call.named();
        let scope = call.scope(&named);
        let cases: Vec<_> = self
            .cases
            .iter()
            .filter_map(|(parameter, cases)| cases.get(&call.parameter(parameter)?))
            .collect();
        let dates = self.dates.as_ref().filter(|dates| dates.apply(call));
        let on = dates.and_then(|dates| dates.on.as_deref());
        let in_range = |entry: &Value| match (range, on) {
            (Some((from, to)), Some(member)) => {
                let time = entry.get(member).map(shown).unwrap_or_default();
                let day = time.get(..10).unwrap_or_default();
                from.as_str() <= day && day <= to.as_str()
            }
            _ => true,
        };
        let fits = |entry: &Value| {
            let own = [("self", entry)];
            let scope = scope.inner(&own);
            in_range(entry)
                && self.filter.hold(&scope)
                && cases.iter().all(|case| case.hold(&scope))
        };
        let mut entries: Vec<(u64, Value)> = match (&self.of, self.from) {
            (Some(collection), _) => {
                let objects = call.store.all(collection);
                objects
                    .filter(|(_, object)| fits(object))
                    .map(|(number, object)| (number, object.clone()))
                    .collect()
            }
            (None, Some(behaviour)) => behaviour.entries(call, range)?,
            (None, None) => Vec::new(),
        };
        if self.from.is_some() {
            entries.retain(|(_, entry)| fits(entry));
        }
        if entries.is_empty()
            && let Some(times) = &self.repeat
        {
            let template = json!({
                "$repeat": times,
                "$people": self.people,
                "$entry": { "n": "{n}", "person": "{person}" },
            });
            let repeated = scope.render(&template);
            entries = (1..)
                .zip(repeated.as_array().cloned().unwrap_or_default())
                .collect();
        }
        Ok(entries)
    }
}

impl Dates {
    fn apply(&self, call: &Call<'_>) -> bool {
        !self.unless.iter().any(|(parameter, values)| {
            call.parameter(parameter)
                .is_some_and(|value| values.contains(&value))
        })
    }

    fn range(&self, call: &Call<'_>) -> (String, String) {
        let day = |name: &str| call.parameter(name).and_then(|text| calendar::date(&text));
        let (from, to) = (day("from"), day("to"));
        if !self.month {
            let text = |day: Option<time::Date>, other: &str| {
                day.map_or_else(|| other.to_owned(), |day| day.to_string())
            };
            return (text(from, ""), text(to, "9999-12-31"));
        }
        let to = to.unwrap_or(call.now().date());
        let from = from.unwrap_or(to).max(calendar::month_before(to));
        (from.to_string(), to.to_string())
    }
}
