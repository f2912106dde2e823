//! Compiles one call of a plan: request, condition, fan-out and the meaning of its failures.

use super::{
    super::{
        error_pattern::ErrorPattern,
        operation::{
            Amount, AnswerTest, Call, Check, Compared, Condition, Each, Evidence, FanOut, Items,
            On, PageMode, Pages, Predicate, Then,
        },
        shape::{CallShape, ConditionShape, EachShape, OnShape},
    },
    Scope,
    filling::Filler,
    method_and_path,
    target::Target,
};

pub(super) fn call(
    scope: &Scope<'_>,
    shape: &CallShape,
    earlier: &[Call],
    target: &Target<'_>,
) -> Option<Call> {
    let (method, path) = scope.keep(method_and_path(&shape.request))?;
    let Some(request) = scope.names.request.get(&shape.request) else {
        scope.add(format!("there is no [request.\"{}\"]", shape.request));
        return None;
    };
    let compiler = Compiler {
        scope,
        shape,
        earlier,
        target,
    };
    let each = match &shape.each {
        Some(each) => Some(compiler.each(each)?),
        None => None,
    };
    let filler = Filler {
        scope,
        shape,
        each: each.as_ref(),
        earlier,
        target,
    };
    scope.expect(
        shape.items.is_none() || shape.pages.is_none(),
        "a call has `items` or `pages`, not both",
    );
    for (kind, parameter) in &shape.about {
        scope.subject(kind);
        target.check_parameter(scope, parameter);
    }
    let sends = shape.sends.clone();
    let pages = shape.pages.as_ref();
    let when = shape.when.iter();
    let needs = shape.needs.iter();
    Some(Call {
        name: shape.name.clone(),
        method,
        template: path.into(),
        path: filler.segments(path),
        query: filler.query(),
        body: filler.body(),
        sends: sends.map(|document| (document, shape.at.clone().unwrap_or_default())),
        file: shape.file.clone(),
        reads: shape.reads.clone(),
        items: shape.items.as_ref().map(|items| compiler.items(items)),
        pages: pages.map(|pages| compiler.pages(pages, each.is_some())),
        subject: shape.subject.as_ref().map(|subject| subject.0.clone()),
        about: shape.about.clone(),
        after: filler.after(),
        after_lists: Vec::new(),
        when: when
            .filter_map(|condition| compiler.condition(condition))
            .collect(),
        keeps: false,
        checks: shape
            .check
            .iter()
            .map(|check| compiler.check(check))
            .collect(),
        needs: needs.map(|member| member.0.clone()).collect(),
        names: request
            .names
            .iter()
            .map(|member| member.0.clone())
            .collect(),
        on: compiler.on(),
        each,
        note: shape.note.clone(),
        omitted: shape.omitted.clone(),
        omits: shape.omits.clone(),
        warns: shape.warns.clone(),
        label: request.label,
        scope: request.scope.clone(),
        or_scopes: request.or_scopes.clone(),
        probe: request.probe.as_ref().map(|probe| probe.as_ref().clone()),
        source: scope.source_title(&request.source),
    })
}

struct Compiler<'a> {
    scope: &'a Scope<'a>,
    shape: &'a CallShape,
    earlier: &'a [Call],
    target: &'a Target<'a>,
}

impl Compiler<'_> {
    fn items(&self, shape: &Items) -> Items {
        self.target.check_tests(self.scope, &shape.only);
        Items {
            list: self.list_name(&shape.list),
            ..shape.clone()
        }
    }

    /// Name of a list; defaults to the name of the call.
    fn list_name(&self, own: &str) -> String {
        let name = if own.is_empty() {
            &self.shape.name
        } else {
            own
        };
        name.to_owned()
    }

    fn pages(&self, shape: &Pages, is_each: bool) -> Pages {
        let scope = self.scope;
        if shape.mode == PageMode::All {
            if let Amount::Option(name) = &shape.most {
                scope.number(name);
            }
        } else {
            for (key, parameter) in [("number", &shape.number), ("size", &shape.size)] {
                if parameter.is_empty() {
                    scope.add(format!("pages of this mode need `{key}`"));
                } else {
                    self.target.check_parameter(scope, parameter);
                }
            }
            scope.expect(
                !is_each,
                "the pages of a call with `each` need the mode `all`",
            );
            scope.expect(
                shape.most == Pages::most(),
                "`most` requires the mode `all`",
            );
        }
        self.target.check_tests(scope, &shape.only);
        Pages {
            list: self.list_name(&shape.list),
            ..shape.clone()
        }
    }

    fn each(&self, shape: &EachShape) -> Option<Each> {
        let scope = self.scope;
        let of = match (&shape.list, &shape.parameter, &shape.windows) {
            (Some(list), None, None) => {
                let mut lists = self.target.plan.list.keys();
                let mut calls = self.earlier.iter();
                let is_made = calls.any(|call| call.makes_list() == Some(list))
                    || lists.any(|known| known.as_ref() == list);
                if !is_made {
                    scope.add(format!("no earlier call returns the list `{list}`"));
                }
                FanOut::Entries { list: list.clone() }
            }
            (None, Some(parameter), None) => {
                self.target.check_parameter(scope, parameter);
                FanOut::Elements {
                    parameter: parameter.clone(),
                    batch: shape.batch.unwrap_or(1).max(1),
                }
            }
            (None, None, Some(_)) => {
                scope.expect(
                    self.target.shape.range.is_some(),
                    "`windows` requires a `range` of the operation",
                );
                FanOut::Windows
            }
            _ => {
                scope.add("`each` needs exactly one of `list`, `parameter` and `windows`");
                return None;
            }
        };
        let of_entries = shape.subject.is_some()
            || shape.value.is_some()
            || !shape.only.is_empty()
            || shape.otherwise.is_some();
        scope.expect(
            !of_entries || shape.list.is_some(),
            "`subject`, `value`, `where` and `otherwise` are for entries of a `list`",
        );
        scope.expect(
            shape.batch.is_none() || shape.parameter.is_some(),
            "`batch` is for the elements of a `parameter`",
        );
        shape.otherwise.iter().for_each(|name| scope.error(name));
        self.target.check_tests(scope, &shape.only);
        Some(Each {
            of,
            subject: shape.subject.as_ref().map(|subject| subject.0.clone()),
            only: shape.only.clone(),
            otherwise: shape.otherwise.clone(),
            one_by_one: shape.order.is_some(),
        })
    }

    fn check(&self, check: &Check) -> Check {
        self.scope.error(&check.otherwise);
        let options = check.options.iter().map(|(name, value)| (name, value));
        self.scope.choices(options);
        if let Compared::Parameter(parameter, _) = &check.compared {
            self.target.check_parameter(self.scope, parameter);
        }
        check.clone()
    }

    fn on(&self) -> Vec<On> {
        let mut all: Vec<On> = Vec::new();
        let constants = &self.target.shape.constants;
        for shape in &self.shape.on {
            let mut expected = shape.constant.iter();
            if !expected.all(|(name, value)| constants.get(name) == Some(value)) {
                continue;
            }
            let Some(then) = self.scope.keep(then(shape)) else {
                continue;
            };
            let on = On {
                v2: ErrorPattern {
                    status: shape.status,
                    codes: shape.code.clone(),
                    message: shape.message.clone(),
                    fields: false,
                },
                options: self.scope.choices(&shape.option),
                then,
            };
            self.scope.expect(
                !all.iter().any(|earlier| earlier.covers(&on)),
                "unreachable row of `on`: an earlier one matches first",
            );
            all.push(on);
        }
        all
    }

    fn condition(&self, shape: &ConditionShape) -> Option<Condition> {
        let scope = self.scope;
        let named = shape.given.iter().chain(&shape.all_given);
        let tested = shape.parameter.iter().map(|test| &test.name);
        for parameter in named.chain(&shape.missing).chain(tested) {
            self.target.check_parameter(scope, parameter);
        }
        let parameter = match &shape.parameter {
            None => None,
            Some(test) => {
                let predicate = Predicate::new(test.is.clone(), test.is_not.clone(), None);
                Some((test.name.clone(), scope.keep(predicate)?))
            }
        };
        let answer = match &shape.answer {
            None => None,
            Some(test) => Some(AnswerTest {
                call: scope.call(&test.call, self.earlier)?,
                at: test.at.0.clone(),
                predicate: scope.keep(Predicate::new(
                    test.is.clone(),
                    test.is_not.clone(),
                    test.exists,
                ))?,
            }),
        };
        let error = match &shape.error {
            None => None,
            Some(error) => Some((scope.call(&error.call, self.earlier)?, error.code.clone())),
        };
        Some(Condition {
            given: shape.given.clone(),
            all_given: shape.all_given.clone(),
            missing: shape.missing.clone(),
            nothing_else: shape.nothing_else,
            options: scope.choices(&shape.option),
            parameter,
            answer,
            error,
            resumed: shape.resumed,
            verification: shape.verification,
            current: shape.current.clone(),
            entries_at_most: shape.entries_at_most,
        })
    }
}

fn then(shape: &OnShape) -> Result<Then, String> {
    Ok(match shape.then.as_str() {
        "fail" => Then::Fail,
        "omit" => Then::Omit,
        "skip" => Then::Skip,
        "done" => Then::Done,
        "resume" => {
            let Some(call) = &shape.read else {
                return Err("`resume` needs a call to `read`".to_owned());
            };
            Then::Resume(Evidence {
                call: call.clone(),
                created: shape.created.as_ref().map(|created| created.0.clone()),
            })
        }
        "answer" => Then::Answer,
        "empty" => Then::Empty,
        other => {
            let known = "fail, omit, skip, done, resume, answer, empty";
            return Err(format!("then `{other}` is none of {known}"));
        }
    })
}
