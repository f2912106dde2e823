//! Property tests: no input causes a panic, changes the v2 path, leaks a secret, or breaks shell
//! quoting.

use std::{collections::BTreeMap, sync::LazyLock};

use mappings::{Catalog, Site};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;

use super::{V1Request, translate, translated};
use migrate_report::layout::TextLayout;

const BASE: &str = "https://v2.example.com/v2";

static CATALOG: LazyLock<Catalog> = LazyLock::new(|| Catalog::embedded().unwrap());

fn site(catalog: &Catalog) -> Site {
    Site {
        options: catalog.options(&BTreeMap::new()).unwrap(),
        ..Site::default()
    }
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// Text rich in characters with a meaning in URLs, shells and forms.
fn nasty() -> impl Strategy<Value = String> {
    let special = prop_oneof![
        Just("/".to_owned()),
        Just("..".to_owned()),
        Just("?".to_owned()),
        Just("#".to_owned()),
        Just("&".to_owned()),
        Just("%2F".to_owned()),
        Just("'".to_owned()),
        Just("\"".to_owned()),
        Just("$(x)".to_owned()),
        Just("`x`".to_owned()),
        Just("\n".to_owned()),
        Just("\r\n# ".to_owned()),
        Just("\u{0}".to_owned()),
        Just("\u{202e}".to_owned()),
        Just("\\".to_owned()),
        Just("Zq1x".to_owned()),
        Just("Zq2x".to_owned()),
        ".{0,8}",
    ];
    prop::collection::vec(special, 1..6).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn never_panics(text in prop_oneof![nasty(), "(curl )?-?-?[a-zA-Z=/&?' -]{0,60}", ".{0,200}"]) {
        let catalog = &*CATALOG;
        let site = site(catalog);
        for text in [text.clone(), format!("curl https://x/v1/{text}"), format!("curl x/v1/user/get {text}"), format!("user/update {text}")] {
            for request in V1Request::from_text(catalog, &text).unwrap_or_default() {
                let _ = translate(catalog, &site, BASE, request);
            }
        }
    }

    #[test]
    fn values_never_change_the_path_or_shell_words(id in nasty(), dept in nasty(), group in nasty(), password in "[a-z]{12,20}", name in nasty()) {
        let catalog = &*CATALOG;
        let site = site(catalog);
        let requests = [
            format!("user/update id={}&dept={}&group_id={}&enable_cloud_auto_recording=false", encoded(&id), encoded(&dept), encoded(&group)),
            format!("user/getbyemail email={}&{}=1", encoded(&id), encoded(&name)),
            format!("user/updatepassword id={}&password={password}", encoded(&id)),
            format!("user/assistant/delete id={}&assistant_email={}", encoded(&id), encoded(&dept)),
        ];
        for text in requests {
            let request = V1Request::from_text(catalog, &text).unwrap().remove(0);
            let operation = catalog.find(&request.operation).unwrap();
            let Ok(page) = translate(catalog, &site, BASE, request) else { continue };
            let plan = operation.plan().unwrap();
            for call in &page.calls {
                let known = plan.calls.iter().find(|known| known.name == call.name).unwrap();
                let path = call.url.strip_prefix(BASE).unwrap();
                let (path, query) = path.split_once('?').unwrap_or((path, ""));
                let segments: Vec<_> = path.split('/').collect();
                let expected: Vec<_> = known.template.split('/').collect();
                prop_assert_eq!(segments.len(), expected.len(), "{}", &call.url);
                for (segment, expected) in segments.iter().zip(&expected) {
                    if expected.starts_with('{') {
                        prop_assert!(!matches!(*segment, "" | "." | ".."), "{}", &call.url);
                        let is_safe = |c: char| c.is_ascii_alphanumeric() || "-._~%$".contains(c);
                        prop_assert!(segment.chars().all(is_safe), "{}", &call.url);
                    } else {
                        prop_assert_eq!(segment, expected);
                    }
                }
                let names = query.split('&').filter(|pair| !pair.is_empty());
                prop_assert!(names.count() <= known.query.len(), "{}", &call.url);
                // The shell passes on URL and body unchanged.
                let words = shell_words::split(&call.curl).unwrap();
                let url = words.iter().find(|word| word.starts_with(BASE)).unwrap();
                prop_assert_eq!(&url.replace(['{', '}'], ""), &call.url);
                if let Some(body) = &call.body {
                    let at = words.iter().position(|word| word == "-d").unwrap();
                    let read: serde_json::Value = serde_json::from_str(&words[at + 1]).unwrap();
                    prop_assert_eq!(&read, body);
                }
            }
            let mut layout = TextLayout::new(80);
            translated(&mut layout, &page);
            // Without the style sequences of the output itself.
            let shown = layout.into_text().replace("\u{1b}[2m", "").replace("\u{1b}[0m", "");
            prop_assert!(!shown.contains(&password), "{}", shown);
            let moves = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
            prop_assert!(!shown.contains(moves), "{:?}", shown);
            // No comment ends early: every line is a comment or part of a command.
            for block in shown.split("\n\n") {
                let mut lines = block.lines().skip_while(|line| line.starts_with('#'));
                prop_assert!(lines.next().is_none_or(|line| line.starts_with("curl ")), "{}", shown);
            }
        }
    }
}
