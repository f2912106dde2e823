use std::collections::BTreeSet;

use mappings::Catalog;
use proptest::{prelude::*, sample::select, test_runner::TestRunner};

use super::*;
use crate::{
    Audit, Options,
    facts::{FileFacts, scanner::Scanner},
    kind::Kind,
    prefilter::Prefilter,
};

fn relevance() -> ClientParts {
    let catalog = Catalog::embedded().unwrap();
    let rules = Rules::embedded().unwrap();
    let knowledge = Knowledge::from_catalog(&catalog, &rules.hosts.strays);
    ClientParts::new(&knowledge, &rules).unwrap()
}

#[test]
fn keeps_keys_and_halves_that_may_belong_together() {
    let relevance = relevance();
    let takes_part = |text: &str| relevance.part(text.as_bytes()).is_some();
    assert!(takes_part("zoom({ apiKey: key })"));
    assert!(takes_part("zoom(['user', 'list'])"));
    assert!(takes_part("$zoom->user->list()"));
    assert!(takes_part("zoom.webinar.register(id)"));
    assert!(!takes_part(&format!(
        "zoom(); {} atexit.register(a)",
        " ".repeat(NAMED)
    )));
    assert!(takes_part(
        "class Zoom { path = '/user'; list() { this.post('list') } }"
    ));
    assert!(takes_part("zoom; define('PATH', 'user'); call('list')"));
    let far = " ".repeat(BESIDE);
    for name in [
        "resource_path =>",
        "apiBasePath =",
        "'endpoint': ",
        "PATH', ",
    ] {
        let text = format!("zoom; '{name} '/user',{far}call('list')");
        assert!(takes_part(&text), "{text}");
    }
    assert!(!takes_part(&format!(
        "zoom; if (api.path !== 'user') {{ }}{far}call('list')"
    )));
    assert!(!takes_part(&format!(
        "zoom; pathology = 'user';{far}call('list')"
    )));
    assert!(!takes_part(
        "zoom(); client.registerIcon(a); getUserMedia()"
    ));
    assert!(!takes_part("zoom.on('user', select); bar(); map('zoom')"));
    assert!(!takes_part("zoom = {'group': 1, a: 'create_all'}"));
    let bundle = format!("zoom(['user', 'list']){}", " ".repeat(LARGEST));
    assert!(!takes_part(&bundle));
    let packed = format!("zoom(['user', 'list']){}", "f(a);".repeat(10_000));
    assert!(!takes_part(&packed));
}

#[test]
fn keeps_texts_that_may_be_a_client() {
    let relevance = relevance();
    for text in [
        "namespace Zoom; class User { function z($z) { return $this->client->request('checkzpk', $z); } }",
        "zoom; class Webinars extends Resource { Response list(Map a) { return post(\"list\", a); } }",
        "zoom; class Zoom::UserClient\n  def create(a) = perform(:create, a)\nend",
        "zoom; request(:user, :list)",
        "function createMeetingFor($zoom) {}",
        "#define ZOOM_PATH @\"user\"\nNSString *method = @\"list\";",
        "set(`zoom[path]`, `user`); call('list')",
        "this.zoomusclient.user.list()",
        "zoom.client().meeting.create()",
    ] {
        assert!(relevance.part(text.as_bytes()).is_some(), "{text}");
    }
    for text in [
        "zoom; event.user.list()",
        "zoom; std::group::list()",
        "zoom; class Usage { get() { return 'list' } }",
        "zoom; class Group {}",
        "FusedZoom",
    ] {
        assert!(relevance.part(text.as_bytes()).is_none(), "{text}");
    }
}

/// Code of a client in parts: `{r}` is a resource, `{a}` an action, `{c}` the name of a client,
/// `{n}` a name, `{=}` an assignment.
const PARTS: [&str; 16] = [
    "{c}.{r}.{a}(id)\n",
    "${c}->{r}->{a}($id);\n",
    "{c}.{a}(id)\n",
    "post(['{r}', '{a}'])\n",
    "{c}.request(\"{r}\", \"{a}\")\n",
    "request(:{r}, :{a})\n",
    "{n}{=}'{r}'\n",
    "define('{n}', '{r}');\n",
    "this.post('{a}', id);\n",
    "{c}.post(\"{a}\", id)\n",
    "self.post_request('{a}', id)\n",
    "class {r} {\n",
    "class {c} {\n",
    "}\n",
    "const {c} = require('zoomus')\n",
    "// this long line only keeps other lines apart\n// ..................................................\n",
];

fn code() -> impl Strategy<Value = String> {
    let part = (
        select(&PARTS[..]),
        select(&["user", "User", "meeting", "webinar", "report", "group"][..]),
        select(
            &[
                "list",
                "create",
                "delete",
                "custcreate",
                "register",
                "checkzpk",
                "get",
            ][..],
        ),
        select(&["zoom", "Zoom", "client", "zoomusClient", "api"][..]),
        select(&["path", "basePath", "this.resource", "RESOURCE", "other"][..]),
        select(&[" = ", ": ", " => ", " := ", ", ", " !== "][..]),
    );
    let part = part.prop_map(|(part, resource, action, client, name, gives)| {
        part.replace("{r}", resource)
            .replace("{a}", action)
            .replace("{c}", client)
            .replace("{n}", name)
            .replace("{=}", gives)
    });
    prop::collection::vec(part, 1..16).prop_map(|parts| parts.concat())
}

/// A dropped file has no use of v1, even beside the base URL of v1.
#[test]
fn dropped_files_have_no_use_of_v1() {
    let catalog = Catalog::embedded().unwrap();
    let audit = Audit::new(&catalog, Options::default()).unwrap();
    let prefilter = Prefilter::new(&audit.knowledge, &audit.rules).unwrap();
    let scanner = Scanner {
        knowledge: &audit.knowledge,
        rules: &audit.rules,
        parsing: &audit.parsing,
    };
    let names = select(
        &[
            "a.js", "a.py", "a.rb", "a.php", "a.java", "a.ts", "a.cs", "a.go",
        ][..],
    );
    let mut runner = TestRunner::new(ProptestConfig {
        cases: 1024,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let ran = runner.run(&(names, code()), |(name, code)| {
        let start = if name == "a.php" { "<?php\n" } else { "" };
        let end = if matches!(name, "a.py" | "a.rb") {
            "# zoom\n"
        } else {
            "// zoom\n"
        };
        let code = format!("{start}{code}{end}");
        let mut trace = prefilter.trace(code.as_bytes());
        if prefilter.is_relevant(&mut trace, code.as_bytes()) {
            return Ok(());
        }
        let files: Vec<FileFacts> = vec![
            scanner.scan("base.json", r#"{ "zoom": "https://api.zoom.us/v1/" }"#),
            scanner.scan(
                "package.json",
                r#"{ "dependencies": { "zoomus": "1.0.0" } }"#,
            ),
            scanner.scan(name, &code),
        ];
        let found = audit.decide(files, &BTreeSet::new());
        let lost: Vec<_> = found
            .into_iter()
            .filter(|found| found.path == name && found.kind != Kind::Doc)
            .map(|found| (found.line, found.reason))
            .collect();
        prop_assert!(lost.is_empty(), "{lost:?} in\n{code}");
        Ok(())
    });
    ran.unwrap();
}
