//! Purpose of a path: a request, a label, or the program's own address.

use crate::{
    facts::{FileFacts, Signal, shape::Shape, syntax::Usage},
    judge::Judge,
    language::Language,
    names::{last_identifier, root, split_words},
    rules::has,
};

/// Purpose of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// It is requested.
    Request,
    /// It names an endpoint and is not requested.
    Label,
    /// It is an address, file or page of the program itself.
    Own,
}

impl Judge<'_> {
    /// True if a browser would send the request to the server of the page.
    pub(super) fn requests_own_server(&self, file: &FileFacts, signal: &Signal) -> bool {
        let script = matches!(
            file.language,
            Some(
                Language::JavaScript
                    | Language::TypeScript
                    | Language::Tsx
                    | Language::Markup
                    | Language::Php
            )
        );
        let callee = lower_callee(signal);
        let root = callee
            .split(['.', '(', '<'])
            .find(|part| !part.is_empty() && *part != "await" && *part != "this")
            .unwrap_or_default();
        let based = matches!(signal.shape, Shape::Endpoint { based: true, .. });
        let config = matches!(file.language, Some(Language::Markup)) && callee.is_empty();
        let starts = signal.value.starts_with('/')
            || signal.value.starts_with("./")
            || signal.value.starts_with("../");
        let routes = signal
            .text
            .target
            .as_deref()
            .is_some_and(|target| last_identifier(target) == "path")
            && starts;
        script
            && !based
            && (self.rules.words.browser.iter().any(|name| name == root) || config || routes)
    }

    /// True for a relative request of a browser, `fetch("/user/create")`, which always goes to the
    /// server of the page, even in a program that calls v1.
    pub(super) fn requests_from_browser(&self, file: &FileFacts, signal: &Signal) -> bool {
        let callee = lower_callee(signal);
        let bare = ["await ", "return ", "this.", "window.", "self."]
            .iter()
            .fold(callee.as_str(), |rest, lead| {
                rest.strip_prefix(lead).unwrap_or(rest)
            });
        let based = |name: &str| {
            file.signals.iter().any(|other| {
                other.shape == Shape::Base
                    && other
                        .text
                        .target
                        .as_deref()
                        .is_some_and(|target| target.to_ascii_lowercase().starts_with(name))
            })
        };
        signal.value.starts_with('/')
            && self.rules.words.browser_bound.iter().any(|name| {
                let rest = bare.strip_prefix(name.as_str());
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '(']))
                    && !based(name)
            })
    }

    /// True if the callee registers a route of a server: `Route::post("user/create", …)`.
    pub(super) fn is_route(&self, callee: &str) -> bool {
        self.rules.words.servers.contains(&root(callee))
    }

    /// True for a host that addresses are compared with: `link.contains("api.zoom.us")`.
    pub(super) fn is_compared(&self, signal: &Signal) -> bool {
        let callee = lower_callee(signal);
        !signal.value.contains('/') && has(&self.rules.words.comparisons, last_identifier(&callee))
    }

    /// The purpose of a path in its surroundings.
    pub(super) fn purpose(&self, file: &FileFacts, signal: &Signal) -> Purpose {
        let words = &self.rules.words;
        let text = &signal.text;
        match text.usage {
            Usage::Case | Usage::Compared => return Purpose::Label,
            // A list of the program's own pages, with their names or permissions.
            Usage::Key if !file.has_v1() && matches!(file.language, Some(Language::Data(_))) => {
                return Purpose::Own;
            }
            Usage::Key if !file.has_v1() => return Purpose::Label,
            Usage::Annotation => {
                let name = annotation(text.callee.as_deref().unwrap_or_default());
                // Retrofit clients have @POST; servers have @PostMapping, [HttpPost], @app.route.
                // Clients with the base URL in an annotation can have the latter, too:
                // @FeignClient(url = "…").
                let based = file.signals.iter().any(|other| {
                    other.shape == Shape::Base && other.text.usage == Usage::Annotation
                });
                return if based || has(&words.client_annotations, name) {
                    Purpose::Request
                } else {
                    Purpose::Own
                };
            }
            Usage::Plain | Usage::Key => {}
        }
        if let Some(target) = &text.target {
            // `$route['user/list'] = 'user/index';`
            if target.trim_start_matches('$').starts_with("route") {
                return Purpose::Own;
            }
            let name = last_identifier(target)
                .to_ascii_lowercase()
                .replace('_', "");
            let markup = file.language == Some(Language::Markup);
            if name == "href" {
                // A link to v1 is for readers.
                return if signal.value.contains("://") {
                    Purpose::Label
                } else {
                    Purpose::Own
                };
            }
            // A page rendered by PHP: `<form action="user/create">`, `window.location = …`.
            let page = name == "location"
                || file.language == Some(Language::Php)
                    && matches!(name.as_str(), "action" | "src");
            if page && !signal.value.contains("://") {
                return Purpose::Own;
            }
            if words.own_targets.contains(&name) && (markup || !file.has_v1()) {
                return Purpose::Own;
            }
            if split_words(last_identifier(target))
                .iter()
                .any(|word| words.label.contains(word))
            {
                return Purpose::Label;
            }
        }
        let Some(callee) = &text.callee else {
            // A controller returns the name of its page: `return "user/list";`
            let page = text.class.to_ascii_lowercase().contains("controller");
            return if page && text.target.is_none() {
                Purpose::Own
            } else {
                Purpose::Request
            };
        };
        self.purpose_of_call(file, signal, callee)
    }

    /// The purpose of a path that is an argument of a call.
    fn purpose_of_call(&self, file: &FileFacts, signal: &Signal, callee: &str) -> Purpose {
        let (words, text) = (&self.rules.words, &signal.text);
        let name = last_identifier(callee);
        let lower = name.to_ascii_lowercase();
        let root = root(callee);
        if words.formatters.contains(&lower) {
            return Purpose::Request;
        }
        let verb = words.route_verbs.contains(&lower);
        // `r.POST("/user/create", handler)`
        let go_route = file.language == Some(Language::Go)
            && callee != name
            && matches!(name, "GET" | "POST" | "PUT" | "PATCH" | "DELETE" | "Any");
        let served = root.len() < 3 || words.servers.contains(&root);
        if go_route && !root.contains("zoom") && (served || !file.has_v1()) {
            return Purpose::Own;
        }
        // Sinatra: `post "/user/create" do`, outside of any method.
        let ruby_route = file.language == Some(Language::Ruby)
            && callee == name
            && verb
            && text.function.is_none();
        // `this.$router.push("/user/list")`
        let moves = words.page_moves.contains(&lower)
            && words
                .page_movers
                .iter()
                .any(|word| callee.to_ascii_lowercase().contains(word.as_str()));
        if ruby_route || moves {
            return Purpose::Own;
        }
        // `URL(string: …)` constructs an address; `Url::to(…)` and `url(…)` link to a page.
        let makes_address = matches!(name, "URL" | "URI" | "NSURL") || callee.starts_with("new ");
        let bare = words.own_bare.contains(&lower) && callee == name && !makes_address;
        if words.is_own(callee) || bare {
            return Purpose::Own;
        }
        if verb && words.servers.contains(&root)
            || words.own_roots.contains(&root) && callee != name && !makes_address
        {
            return Purpose::Own;
        }
        // `get "user/list", to: "users#list"`
        let routes = file.path.contains("routes")
            || file.path.contains("router")
            || file.path.ends_with("urls.py");
        let handled = text
            .given
            .iter()
            .any(|key| words.handler_keys.contains(key));
        if verb && (routes || handled) && !file.has_v1() {
            return Purpose::Own;
        }
        // A stub of a path may belong to any base.
        let is_whole = || signal.value.contains("://");
        if words.is_label(callee) && !(words.is_stub(callee) && is_whole()) {
            return Purpose::Label;
        }
        Purpose::Request
    }
}

fn lower_callee(signal: &Signal) -> String {
    let callee = signal.text.callee.as_deref();
    callee.unwrap_or_default().to_ascii_lowercase()
}

/// The name of an annotation.
fn annotation(text: &str) -> &str {
    let text = text.trim_start_matches(['@', '[']);
    let end = text
        .find(|c: char| !c.is_alphanumeric() && c != '_')
        .unwrap_or(text.len());
    text.get(..end).unwrap_or_default()
}
