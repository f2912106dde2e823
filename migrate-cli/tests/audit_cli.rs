//! `migrate audit`, `status` and `plan` on the command line: exit codes, inputs, baseline, traffic.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod project;

use std::fs;

use project::*;
use serde_json::Value;

#[test]
fn exit_codes_distinguish_clean_findings_and_errors() {
    let client = client();
    let code = |arguments: &[&str]| migrate(client.path(), arguments).status.code();
    assert_eq!(code(&["audit"]), Some(1));
    assert_eq!(code(&["audit", "--fail-on", "never"]), Some(0));
    assert_eq!(code(&["audit", "README.md"]), Some(0));
    assert_eq!(code(&["audit", "no-such-folder"]), Some(2));
}

#[test]
fn baseline_suppresses_known_findings_only() {
    let client = client();
    let code = |arguments: &[&str]| migrate(client.path(), arguments).status.code();
    assert_eq!(code(&["audit", "--write-baseline"]), Some(0));
    assert_eq!(code(&["audit"]), Some(0));
    assert_eq!(code(&["audit", "--fail-on", "any"]), Some(1));
    // Moved lines stay known.
    let path = client.path().join("app/Zoom.php");
    let old = fs::read_to_string(&path).unwrap();
    fs::write(&path, old.replacen("<?php\n", "<?php\n\n\n", 1)).unwrap();
    assert_eq!(code(&["audit"]), Some(0));
    // A copy of a known line is a new finding.
    fs::write(
        &path,
        format!("{old}post($base . 'user/list', ['page_size' => 300]);\n"),
    )
    .unwrap();
    assert_eq!(code(&["audit"]), Some(1));
    // Pruning does not add it.
    assert_eq!(code(&["audit", "--prune-baseline"]), Some(1));
    fs::write(&path, "<?php\n").unwrap();
    let status = text(&migrate(client.path(), &["status", "--json"]));
    let status: Value = serde_json::from_str(&status).unwrap();
    assert_eq!(
        status["total"],
        serde_json::json!({"new": 0, "fixed": 5, "unchanged": 0})
    );
    assert_eq!(status["owners"]["@web"]["fixed"], 5);
    assert_eq!(code(&["audit", "--prune-baseline"]), Some(0));
    let left = fs::read_to_string(client.path().join(".migrate-baseline")).unwrap();
    assert_eq!(left.lines().count(), 1, "{left}");
}

#[test]
fn audits_a_revision_without_checkout() {
    let client = client();
    let git = |arguments: &[&str]| git(client.path(), arguments);
    git(&["init", "-q"]);
    git(&["add", "-A"]);
    git(&["commit", "-q", "-m", "v1"]);
    let before = places(&json(client.path(), &["."]));
    fs::remove_file(client.path().join("app/Zoom.php")).unwrap();
    assert_eq!(
        places(&json(client.path(), &[".", "--rev", "HEAD"])),
        before
    );
    assert_eq!(places(&json(client.path(), &["."])), ["README.md:1 doc"]);
    let output = migrate(client.path(), &["audit", ".", "--rev", "--output=x"]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn audits_several_paths_and_file_lists() {
    let client = client();
    put(
        client.path(),
        "other/a.sh",
        b"curl https://api.zoom.us/v1/user/get\n",
    );
    assert_eq!(
        places(&json(client.path(), &["other", "README.md"])).len(),
        2
    );
    fs::write(client.path().join("list"), "other/a.sh\n").unwrap();
    let report = json(client.path(), &["--files-from", "list"]);
    assert_eq!(places(&report), ["other/a.sh:1 url"]);
}

#[test]
fn no_ignore_includes_ignored_files() {
    let folder = tree(&[
        (".ignore", "skipped\n"),
        ("skipped/a.sh", "curl https://api.zoom.us/v1/user/get\n"),
        (".env", "URL=https://api.zoom.us/v1/\n"),
    ]);
    assert_eq!(places(&json(folder.path(), &["."])), [".env:1 base_url"]);
    assert_eq!(places(&json(folder.path(), &[".", "--no-ignore"])).len(), 2);
}

#[test]
fn traffic_separates_live_and_dormant_code() {
    let client = client();
    fs::write(
        client.path().join("access.txt"),
        format!(
            "10.0.0.1 - - [22/Nov/2026:10:00:00 +0000] \"POST /v1/user/list?api_secret={SECRET} HTTP/1.1\" 200 9 \"-\" \"-\"\n\
             10.0.0.2 - - [22/Nov/2026:10:00:01 +0000] \"POST /v1/user/pending HTTP/1.1\" 200 9 \"-\" \"-\"\n"
        ),
    )
    .unwrap();
    let report = json(client.path(), &["app", "--access-log", "access.txt"]);
    let traffic = &report["traffic"];
    assert_eq!(traffic["live"], serde_json::json!(["user/list"]));
    assert_eq!(traffic["dormant"], serde_json::json!(["user/custcreate"]));
    assert_eq!(
        traffic["unknown_callers"],
        serde_json::json!(["user/pending"])
    );
    assert!(!report.to_string().contains(SECRET));
}

#[test]
fn single_files_use_their_project_as_evidence() {
    let client = tree(&[
        ("package.json", "{}"),
        (
            "lib/base.js",
            "exports.zoomBase = 'https://api.zoom.us/v1/';\n",
        ),
        (
            "lib/zoom-users.js",
            "const { zoomBase } = require('./base');\npost(zoomBase + 'user/list');\n",
        ),
    ]);
    let wanted = ["lib/zoom-users.js:2 endpoint"];
    let whole = places(&json(client.path(), &["."]));
    assert_eq!(whole, ["lib/base.js:1 base_url", wanted[0]]);
    // As passed by pre-commit, and as a list.
    assert_eq!(places(&json(client.path(), &["lib/zoom-users.js"])), wanted);
    fs::write(client.path().join("list"), "./lib/zoom-users.js\n").unwrap();
    assert_eq!(
        places(&json(client.path(), &["--files-from", "list"])),
        wanted
    );
    // The project's baseline and owners apply, too.
    put(client.path(), "CODEOWNERS", b"/lib/ @web\n");
    let code = |arguments: &[&str]| migrate(client.path(), arguments).status.code();
    assert_eq!(code(&["audit", "--write-baseline"]), Some(0));
    assert_eq!(code(&["audit", "lib/zoom-users.js"]), Some(0));
    let report = json(client.path(), &["lib/zoom-users.js"]);
    assert_eq!(report["findings"][0]["owners"], serde_json::json!(["@web"]));
    // A partial audit cannot find fixed entries.
    for flag in ["--write-baseline", "--prune-baseline"] {
        assert_eq!(code(&["audit", "lib/zoom-users.js", flag]), Some(2));
    }
}

/// Baselines written on two branches merge with `merge=union`.
#[test]
fn baselines_of_two_branches_merge_by_union() {
    let client = client();
    let git = |arguments: &[&str]| git(client.path(), arguments);
    let commit = |name: &str| {
        migrate(client.path(), &["audit", "--write-baseline"]);
        git(&["add", "-A"]);
        git(&["commit", "-q", "-m", name]);
    };
    put(
        client.path(),
        ".gitattributes",
        b".migrate-baseline merge=union\n",
    );
    git(&["init", "-q", "-b", "trunk"]);
    commit("v1");
    git(&["checkout", "-q", "-b", "one"]);
    put(
        client.path(),
        "app/One.sh",
        b"curl https://api.zoom.us/v1/user/get\n",
    );
    commit("one");
    git(&["checkout", "-q", "-b", "two", "trunk"]);
    put(
        client.path(),
        "app/Two.sh",
        b"curl https://api.zoom.us/v1/user/get\n",
    );
    commit("two");
    git(&["merge", "-q", "one", "-m", "both"]);
    let code = |arguments: &[&str]| migrate(client.path(), arguments).status.code();
    assert_eq!(code(&["audit"]), Some(0));
    fs::remove_file(client.path().join("app/One.sh")).unwrap();
    assert_eq!(code(&["audit", "--prune-baseline"]), Some(0));
    let left = fs::read_to_string(client.path().join(".migrate-baseline")).unwrap();
    assert!(
        left.contains("Two.sh") && !left.contains("One.sh"),
        "{left}"
    );
}

#[test]
fn fixes_baseline_findings() {
    let client = client();
    migrate(client.path(), &["audit", "--write-baseline"]);
    let shim = ["--shim", "https://shim.example.com"];
    let patch = text(&migrate(
        client.path(),
        &[&["audit", "--diff"], &shim[..]].concat(),
    ));
    assert!(
        patch.contains('+') && patch.contains("https://shim.example.com/v1"),
        "{patch}"
    );
}

#[test]
fn status_merges_repositories() {
    let (one, two) = (client(), client());
    for client in [&one, &two] {
        migrate(client.path(), &["audit", "--write-baseline"]);
    }
    put(
        two.path(),
        "new.sh",
        b"curl https://api.zoom.us/v1/user/get\n",
    );
    let status = text(&migrate(two.path(), &["status", "--format", "json"]));
    let file = one.path().join("two.json");
    fs::write(&file, status).unwrap();
    let folder = one.path().to_str().unwrap();
    let arguments = ["status", "--merge", folder, "two.json", "--format", "json"];
    let output = migrate(one.path(), &arguments);
    assert_eq!(output.status.code(), Some(1));
    let merged: Value = serde_json::from_str(&text(&output)).unwrap();
    assert_eq!(merged["repositories"].as_object().unwrap().len(), 2);
    assert_eq!(
        merged["total"],
        serde_json::json!({"new": 1, "fixed": 0, "unchanged": 10})
    );
    let page = text(&migrate(
        one.path(),
        &["status", "--merge", folder, "two.json", "--format", "html"],
    ));
    assert!(page.contains("2 repositories"), "{page}");
}

#[test]
fn plan_lists_scopes_and_efforts() {
    let client = client();
    let plan = text(&migrate(client.path(), &["plan", "--format", "json"]));
    let plan: Value = serde_json::from_str(&plan).unwrap();
    assert_eq!(plan["errors_at_shim"], serde_json::json!([]));
    let scopes = plan["zoom"]["scopes"].as_array().unwrap();
    assert!(
        scopes.contains(&"user:read:list_users:admin".into()),
        "{plan}"
    );
    put(
        client.path(),
        "app/b.sh",
        b"curl https://api.zoom.us/v1/user/checkzpk -d zpk=1\n",
    );
    let plan = text(&migrate(client.path(), &["plan"]));
    assert!(plan.contains("always an error  user/checkzpk"), "{plan}");
    assert!(plan.contains("several v2 requests per v1 call"), "{plan}");
}

#[test]
fn plan_says_how_libraries_are_pointed_at_the_shim() {
    let with_credential = format!(
        "require 'zoomus'\nZoomus.configure do |c|\n  c.api_secret = '{SECRET}'\nend\n\
         Zoomus.new.user_list\n"
    );
    for code in [
        with_credential.as_str(),
        "require 'zoomus'\nZoomus.new.user_list\n",
    ] {
        let ruby = tree(&[("a.rb", code)]);
        let plan = text(&migrate(
            ruby.path(),
            &["plan", "--shim", "https://shim.example.com"],
        ));
        let words: Vec<&str> = plan.split_whitespace().collect();
        let way = "zoomus Point the library at the shim: Zoomus::Client.base_uri \
                   'https://shim.example.com/v1' before the first call.";
        assert!(words.join(" ").contains(way), "{plan}");
    }
    let node = tree(&[(
        "a.js",
        "const Zoom = require('zoomus')({ key, secret });\nZoom.user.list({}, done);\n",
    )]);
    let plan = text(&migrate(node.path(), &["plan"]));
    assert!(plan.contains("holds its base URL itself"), "{plan}");
    assert!(!plan.contains("no base URL"), "{plan}");
}

#[test]
fn unknown_operations_are_reported_and_planned() {
    let folder = tree(&[(
        "a.py",
        "a = 'https://api.zoom.us/v1/ma/user/update'\nb = 'https://api.zoom.us/v1/im/group/'\n\
         c = f'https://api.zoom.us/v1/meeting/p{x}'\n",
    )]);
    let report = json(folder.path(), &["."]);
    assert_eq!(report["findings"][0]["operation"], "ma/user/update");
    assert_eq!(report["findings"][0]["advice"]["shim"], "unknown");
    // The base of a resource and a computed path are no operations.
    assert_eq!(report["summary"]["operations"], 1, "{report}");
    let audit = text(&migrate(folder.path(), &["audit"]));
    let advice = "v1 operation unknown to the shim: it answers an error";
    assert!(audit.contains(advice), "{audit}");
    assert!(
        audit.contains("ma/user/update     1  unknown operation"),
        "{audit}"
    );
    let plan = text(&migrate(folder.path(), &["plan"]));
    assert!(plan.contains("unknown operation  ma/user/update"), "{plan}");
    assert!(
        plan.contains(&format!("large  ma/user/update  {advice}")),
        "{plan}"
    );
    for wave in ["decide", "remove"] {
        let output = migrate(folder.path(), &["plan", "--check", wave]);
        assert_eq!(output.status.code(), Some(1), "{wave}");
    }
    let fixed = migrate(
        folder.path(),
        &["audit", "--fix", "--shim", "https://shim.example.com"],
    );
    assert!(
        text(&fixed).contains(&format!("ma/user/update: {advice}")),
        "{fixed:?}"
    );
}

#[test]
fn notes_hold_without_the_operations_that_they_mention() {
    let note = "for ISV accounts only in v2";
    let link = "v2 cannot unlink such a user";
    let code = "post('https://api.zoom.us/v1/user/custcreate', data)\n";
    let folder = tree(&[("a.py", code)]);
    let audit = text(&migrate(folder.path(), &["audit"]));
    assert!(audit.contains(note) && !audit.contains(link), "{audit}");
    put(
        folder.path(),
        "b.py",
        "post('https://api.zoom.us/v1/user/delete', data)\n",
    );
    let audit = text(&migrate(folder.path(), &["audit"]));
    assert!(audit.contains(note) && audit.contains(link), "{audit}");
}

#[test]
fn requests_that_v1_refused_are_told_apart() {
    let folder = tree(&[(
        "A.java",
        "class A { void f() {\n\
         Unirest.post(\"https://api.zoom.us/v1/user/list\").header(\"api_key\", k).header(\"api_secret\", s).asJson();\n\
         Unirest.get(\"https://api.zoom.us/v1/user/get\").asJson();\n\
         Unirest.post(\"https://api.zoom.us/v1/user/pending\").field(\"api_key\", k).field(\"api_secret\", s).asJson();\n\
         this.get(\"https://api.zoom.us/v1/user/checkemail\");\n} }\n",
    )]);
    let report = json(folder.path(), &["."]);
    let refused: Vec<bool> = (0..4)
        .map(|index| report["findings"][index]["advice"]["refused"].is_string())
        .collect();
    assert_eq!(refused, [true, true, false, false], "{report}");
    let plan = text(&migrate(folder.path(), &["plan"]));
    for operation in ["user/list", "user/get"] {
        let error = format!("always an error  {operation}\n");
        assert!(plan.contains(&error), "{plan}");
    }
    let audit = text(&migrate(folder.path(), &["audit"]));
    assert!(audit.contains("v1 took POST only"), "{audit}");
}

#[test]
fn advice_on_a_library_names_its_ecosystem() {
    let folder = tree(&[(
        "Gemfile.lock",
        "GEM\n  remote: https://rubygems.org/\n  specs:\n    zoomus (0.9.1)\n      httparty\n\n\
         DEPENDENCIES\n  zoomus\n",
    )]);
    let audit = text(&migrate(folder.path(), &["audit"]));
    assert!(
        audit.contains("see migrate rules rubygems:zoomus"),
        "{audit}"
    );
    let page = text(&migrate(folder.path(), &["rules", "rubygems:zoomus"]));
    assert!(page.starts_with("zoomus"), "{page}");
    assert!(!page.contains("npm"), "{page}");
    assert_eq!(page.matches("What it finds").count(), 1, "{page}");
    let all = text(&migrate(folder.path(), &["rules", "zoomus"]));
    assert!(all.matches("What it finds").count() > 1, "{all}");
}

#[test]
fn wave_check_fails_until_done() {
    let client = client();
    let check = |wave: &str, shim: &[&str]| {
        migrate(client.path(), &[&["plan", "--check", wave], shim].concat())
            .status
            .code()
    };
    let shim = ["--shim", "https://shim.example.com"];
    assert_eq!(check("shim", &shim), Some(1));
    assert_eq!(check("reads", &shim), Some(1));
    let path = client.path().join("app/Zoom.php");
    let old = fs::read_to_string(&path).unwrap();
    fs::write(
        &path,
        old.replace(&format!("$api_secret = '{SECRET}';\n"), ""),
    )
    .unwrap();
    migrate(client.path(), &[&["audit", "--fix"], &shim[..]].concat());
    // Reads behind the shim still have to be migrated.
    assert_eq!(check("reads", &shim), Some(1));
    let plan = text(&migrate(client.path(), &[&["plan"], &shim[..]].concat()));
    insta::assert_snapshot!(plan);
}
