//! Output of `migrate translate`.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod project;

use std::{
    path::Path,
    process::{Command, Output},
};

use project::{migrate_with_input, unserved};
use serde_json::Value;

fn translate(arguments: &[&str], input: &str) -> Output {
    let arguments = [&["translate"], arguments].concat();
    migrate_with_input(Path::new("."), &arguments, input)
}

fn commands(arguments: &[&str]) -> String {
    let output = translate(arguments, "");
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{error}");
    String::from_utf8(output.stdout).expect("text")
}

fn json(arguments: &[&str]) -> Value {
    let text = commands(&[&["--format", "json"], arguments].concat());
    serde_json::from_str(&text).expect("JSON")
}

// ---- output
// --------------------------------------------------------------------------------------

#[test]
fn curl_command() {
    insta::assert_snapshot!(commands(&[
        "curl https://api.zoom.us/v1/user/update -d api_key=K -d api_secret=S \
         -d id=kdc1 -d dept='R&D' -d disable_chat=true -d track_id=7"
    ]));
}

#[test]
fn url() {
    insta::assert_snapshot!(commands(&[
        "https://api.zoom.us/v1/user/getbyemail?api_key=K&api_secret=S&email=ada%2B1%40example.com&login_type=100"
    ]));
}

#[test]
fn list_with_calls_per_item() {
    insta::assert_snapshot!(commands(&["user/list", "page_size=30", "page_number=3"]));
}

#[test]
fn conditions_on_v2_state() {
    insta::assert_snapshot!(commands(&[
        "user/update",
        "id=kdc1&dept=x&group_id=g 1&enable_cloud_auto_recording=false&enable_enter_exit_chime=true",
    ]));
}

#[test]
fn call_with_conditional_members_only() {
    insta::assert_snapshot!(commands(&[
        "user/update",
        "id=kdc1",
        "enable_cloud_auto_recording=false",
    ]));
}

#[test]
fn filtered_list_item() {
    insta::assert_snapshot!(commands(&[
        "user/assistant/delete",
        "id=kdc1&assistant_email=alan@example.com",
    ]));
}

#[test]
fn create_in_steps() {
    insta::assert_snapshot!(commands(&[
        "user/autocreate",
        "email=grace@example.com&type=1&password=not-to-be-seen&first_name=Grace&last_name=O'Hopper\
         &dept=x&disable_chat=1&meeting_capacity=0&group_id=g1&shoe_size=40",
    ]));
}

#[test]
fn picture_upload() {
    insta::assert_snapshot!(commands(&[
        "--",
        "curl",
        "-F",
        "id=kdc1",
        "-F",
        "pic_file=@\"my, own.png\";type=image/png",
        "https://api.zoom.us/v1/user/uploadpicture",
    ]));
}

#[test]
fn v1_error() {
    let output = translate(&["user/get"], "");
    assert_eq!(output.status.code(), Some(1));
    insta::assert_snapshot!(String::from_utf8_lossy(&output.stdout));
}

#[test]
fn unserved_operation() {
    let folder = unserved();
    let mappings = folder.path().to_str().expect("a plain name");
    let output = translate(&["--mappings", mappings, "user/unserved", "id=1"], "");
    assert_eq!(output.status.code(), Some(1));
    insta::assert_snapshot!(String::from_utf8_lossy(&output.stdout));
}

#[test]
fn translation_as_json() {
    insta::assert_snapshot!(commands(&[
        "user/updatepassword",
        "id=kdc1&password=not-to-be-seen",
        "--format",
        "json",
    ]));
}

#[test]
fn error_as_json() {
    let output = translate(&["https://x/v1/user/gett?id=1", "--format", "json"], "");
    assert_eq!(output.status.code(), Some(1));
    insta::assert_snapshot!(String::from_utf8_lossy(&output.stdout));
}

#[test]
fn help_text() {
    insta::assert_snapshot!(commands(&["--help"]));
}

// ---- input
// ---------------------------------------------------------------------------------------

/// All forms give the same translation.
#[test]
fn parses_all_request_forms() {
    let expected = json(&["user/update", "id=a b", "dept=c"])["calls"].clone();
    assert_eq!(expected[0]["url"], "https://api.zoom.us/v2/users/a%20b");
    assert_eq!(expected[0]["body"], serde_json::json!({ "dept": "c" }));
    for words in [
        &["user/update", "id=a+b&dept=c"][..],
        &["user/update id=a%20b&dept=c"],
        &[
            "User/Update/",
            "{\"id\":\"a b\",\"dept\":\"c\",\"pmi\":null}",
        ],
        &["/v1/user/update?id=a+b", "dept=c"],
        &["https://h.example.com/v1/user/update/?id=a+b&dept=c#x"],
        // The query has priority.
        &["curl 'h/v1/user/update?id=a+b' -X POST -d id=other -d dept=c"],
        &["$ curl -s -XPOST h/v1/user/update --data 'id=a+b&dept=c' | jq ."],
        &["curl -sd id=a+b h/v1/user/update \\\n  --data-urlencode dept=c"],
        &["curl -G h/v1/user/update -d id=a+b --data-urlencode dept=c -X POST"],
        &["curl -F 'id=a b' -F 'dept=c;type=text/plain' h/v1/user/update"],
        &["curl h/v1/user/update --json '{\"id\":\"a b\",\"dept\":\"c\"}'"],
        &[
            "curl -H 'Content-Type: application/json' -d '{\"id\":\"a b\",\"dept\":\"c\"}' h/v1/user/update",
        ],
        &[
            "--",
            "curl",
            "--url",
            "h/v1/user/update",
            "-d",
            "id=a b",
            "-d",
            "dept=c",
            "-u",
            "x:y",
        ],
    ] {
        let page = json(words);
        assert_eq!(page["calls"], expected, "{words:?}");
        assert_eq!(page["notes"], serde_json::json!([]), "{words:?}");
    }
}

#[test]
fn reads_standard_input() {
    let text = "curl https://api.zoom.us/v1/user/get \\\n  -d id=abc\n";
    for arguments in [&[][..], &["-"]] {
        let output = translate(arguments, text);
        assert!(output.status.success());
        assert_eq!(
            String::from_utf8_lossy(&output.stdout),
            commands(&["user/get", "id=abc"])
        );
    }
}

/// Commands of other clients and file formats; each is the same request.
#[test]
fn parses_other_clients_and_files() {
    let expected = json(&["user/get", "id=abc"])["calls"].clone();
    let form = "api_key=k&api_secret=s&id=abc";
    let url = "https://api.zoom.us/v1/user/get";
    let postman = serde_json::json!({ "item": [{ "name": "folder", "item": [{
        "request": { "method": "POST",
            "url": { "host": ["api", "zoom", "us"], "path": ["v1", "user", "get"] },
            "body": { "mode": "urlencoded", "urlencoded": [{ "key": "id", "value": "abc" }] } },
    }] }] });
    let har = serde_json::json!({ "request": { "method": "POST", "httpVersion": "HTTP/1.1",
        "url": url, "postData": { "mimeType": "application/x-www-form-urlencoded", "text": form } } });
    for text in [
        format!("wget --post-data \"{form}\" {url} -O -"),
        format!("wget --quiet --method=POST --body-data={form} {url}"),
        format!("http --form POST {url} api_key=k api_secret=s id=abc"),
        format!("http -f {url} id=abc Accept:text/xml"),
        format!("Invoke-RestMethod -Method Post -Uri {url} -Body @{{api_key=\"k\";id='abc'}}"),
        format!("$r = irm -Uri \"{url}\" `\n  -Method POST `\n  -Body \"{form}\""),
        format!("curl.exe -X POST ^\r\n -d \"{form}\" ^\r\n {url}"),
        format!("curl ^\"{url}^\" ^\n  --data-raw ^\"api_key=k^&id=abc^\""),
        format!("curl {url} --data-raw $'id=\\x61bc' --compressed"),
        format!("TOKEN=x curl {url} -d id=abc; echo done"),
        format!("POST /v1/user/get HTTP/1.1\r\nHost: api.zoom.us\r\n\r\n{form}"),
        format!(
            "@id = abc\n# users\nPOST {url}\nContent-Type: application/json\n\n{{\"id\": \"{{{{id}}}}\"}}\n"
        ),
        postman.to_string(),
        har.to_string(),
        serde_json::json!({ "log": { "entries": [har] } }).to_string(),
    ] {
        let output = translate(&["--format", "json"], &text);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{text}: {error}");
        let page: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(page["calls"], expected, "{text}");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("requests.http");
    std::fs::write(
        &file,
        format!("POST {url}?id=abc\n\n###\nPOST {url}\n\nid=abc\n"),
    )
    .expect("written");
    let name = file.to_str().expect("a plain name");
    for name in [name.to_owned(), format!("@{name}")] {
        let pages = json(&[&name]);
        assert_eq!(pages.as_array().map(Vec::len), Some(2));
        assert_eq!(pages[1]["calls"], expected);
    }
}

#[test]
fn keeps_variables() {
    let body = |words: &[&str]| commands(words);
    let text = body(&[
        "curl --data \"api_key=$k&api_secret=$s&id=$id&dept=${DEPT}x&pmi=$PMI\" https://api.zoom.us/v1/user/update",
    ]);
    assert!(
        text.contains("\"https://api.zoom.us/v2/users/$id\""),
        "{text}"
    );
    assert!(text.contains(r#"\"dept\":\"${DEPT}x\""#), "{text}");
    assert!(text.contains(r#"\"pmi\":$PMI"#), "{text}");
    assert!(!text.contains("$k") && !text.contains("$s "), "{text}");
    let text = body(&["curl -d 'id=$id' h/v1/user/get"]);
    assert!(
        text.contains("%24id"),
        "a single quote keeps the sign: {text}"
    );
    let page = json(&["https://{{host}}/v1/user/get?id={{user_id}}"]);
    assert_eq!(
        page["calls"][0]["url"],
        "https://api.zoom.us/v2/users/$user_id"
    );
    let page = json(&["curl \"$BASE/user/list\" -d page_size=$SIZE -d \"$MORE\""]);
    let notes = page["notes"].to_string();
    assert!(
        notes.contains("page_size: 1 is used in place of $SIZE"),
        "{notes}"
    );
    assert!(notes.contains("$MORE"), "{notes}");
}

/// The values of a body or a base URL are those that the script assigns before.
#[test]
fn follows_assigned_variables() {
    for text in [
        "DATA=\"login_type=1&id=$ID\"; curl https://api.zoom.us/v1/user/get -d \"$DATA\"",
        "export BASE=https://api.zoom.us/v1\nD=id=$ID\nD=\"$D&login_type=1\"\ncurl $BASE/user/get -d $D",
        "data=\"id=$ID\"\nwget --post-data=\"$data&x=1\" https://api.zoom.us/v1/user/get",
        "OP=user/get; curl \"https://api.zoom.us/v1/$OP\" -d id=$ID",
        "set DATA=id=%ID%\r\ncurl https://api.zoom.us/v1/user/get ^\r\n -d \"%DATA%\"",
        "$b = @{ id = $ID }; Invoke-RestMethod https://api.zoom.us/v1/user/get -Method Post -Body $b",
        "$b=@{id=$ID}\n$r = irm -Method Post -Uri https://api.zoom.us/v1/user/get -Body $b",
        "$p = @{ Uri = 'https://api.zoom.us/v1/user/get'; Method = 'Post'; Body = @{ id = $ID } }\nirm @p",
    ] {
        let page = json(&[text]);
        let url = &page["calls"][0]["url"];
        assert_eq!(url, "https://api.zoom.us/v2/users/$ID", "{text}");
    }
}

/// Without them, it is unknown what v1 answers: no error of v1 is shown as its answer.
#[test]
fn says_what_depends_on_a_variable() {
    for (text, variable) in [
        ("curl https://api.zoom.us/v1/user/get -d \"$DATA\"", "$DATA"),
        (
            "curl https://api.zoom.us/v1/user/get -d \"x=1&$REST\"",
            "$REST",
        ),
        (
            "curl \"https://api.zoom.us/v1/user/get?$QUERY\" -X POST",
            "$QUERY",
        ),
        (
            "curl https://api.zoom.us/v1/user/$ACTION -d id=a",
            "$ACTION",
        ),
        (
            "D=id=a; D+=$MORE; curl https://api.zoom.us/v1/user/get -d $D",
            "$D",
        ),
        (
            "$b = @{}\n$b.id = 1\nInvoke-RestMethod https://api.zoom.us/v1/user/get -Body $b",
            "$b",
        ),
    ] {
        let output = translate(&[text, "--format", "json"], "");
        assert_eq!(output.status.code(), Some(2), "{text}");
        let page: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(page["kind"], "undecided", "{text}");
        assert_eq!(page["error"], Value::Null, "{text}");
        let reason = page["reason"].as_str().unwrap();
        assert!(reason.contains(variable), "{reason}");
    }
}

#[test]
fn notes_assumptions() {
    for (words, note) in [
        (
            &["user/update", "id=a&dept=R&D"][..],
            "dept: & is treated as part of the value",
        ),
        (
            &["user/getbyemail", "email=a+b@example.com"],
            "email: + is a space in a form",
        ),
        (
            &["curl h/v1/user/get?id=a"],
            "v1 accepts POST only and returns an error for GET",
        ),
        (
            &["curl --shiny=secret -d id=a h/v1/user/get"],
            "unknown option --shiny: treated as a switch",
        ),
        (
            &["user/uploadpicture", "id=a&pic_file=%89PNG%0D%0A%1A%0A%00"],
            "as pic_file.png",
        ),
    ] {
        let notes = json(words)["notes"].to_string();
        assert!(notes.contains(note), "{notes}");
        assert!(!notes.contains("secret"), "{notes}");
    }
}

#[test]
fn rejects_other_requests_with_examples() {
    for words in [
        &["hello world"][..],
        &["user/gett", "id=1"],
        &["https://api.zoom.us/v2/users"],
        &["curl -d id=1"],
        &["curl https://api.zoom.us/v2/users"],
        &["curl 'h/v1/user/get"],
        &["curl -d @form.txt h/v1/user/get"],
        &["http -f h/v1/user/get @form.txt"],
        &["irm h/v1/user/get -Body @{a=@{b=@{c=@{d=@{e=@{f=@{g=@{h=@{i=1}}}}}}}}}"],
        &["user/get", "{\"id\":[1]}"],
        &["user/get", "id=1", "--v2-base", "ftp://x"],
        &["api_key=K&api_secret=not-to-be-seen"],
        &["no-such-file.har"],
        &["requests.post('https://api.zoom.us/v1/user/get')"],
    ] {
        let output = translate(words, "");
        assert_eq!(output.status.code(), Some(2), "{words:?}");
        assert!(output.stdout.is_empty());
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(message.starts_with("error: "), "{message}");
        assert!(!message.contains("not-to-be-seen"), "{message}");
    }
    assert_eq!(translate(&[], "").status.code(), Some(2));
}

#[test]
fn hides_secrets() {
    let words = [
        "curl https://api.zoom.us/v1/user/updatepassword?api_key=KEY1&api_secret=SECRET1 \
         -u user:SECRET2 -H 'Authorization: Bearer SECRET3' -d id=a -d password=SECRET4 \
         -d api_secret=SECRET5 -d zpk=SECRET6",
    ];
    for format in ["curl", "json"] {
        let text = commands(&[&words[..], &["--format", format]].concat());
        assert!(!text.contains("SECRET") && !text.contains("KEY1"), "{text}");
        assert!(text.contains("$PASSWORD"), "{text}");
    }
}

// ---- execution by a shell -----------------------------------------------------------------------

/// Runs the output with a fake curl that prints its arguments.
#[cfg(unix)]
#[test]
fn shell_runs_the_commands_correctly() {
    use std::{fs, os::unix::fs::PermissionsExt};

    let folder = tempfile::tempdir().expect("a folder");
    let curl = folder.path().join("curl");
    let script = "#!/bin/sh\nfor word do printf '%s\\0' \"$word\"; done\nprintf '\\0'\n";
    fs::write(&curl, script).expect("written");
    fs::set_permissions(&curl, fs::Permissions::from_mode(0o755)).expect("executable");
    let search = format!(
        "{}:{}",
        folder.path().display(),
        std::env::var("PATH").unwrap_or_default()
    );

    for words in [
        &[
            "user/update",
            r#"id=a'b"c$(touch x)`d`\&dept=it's %22$HOME%22 %5C %0A!&first_name=Ж…"#,
        ][..],
        &["user/list", "page_number=2"],
        &[
            "user/autocreate",
            "email=a@example.com&type=1&password=pass-word&dept=x&last_name=y",
        ],
        &[
            "--",
            "curl",
            "-F",
            "id=a",
            "-F",
            "pic_file=@it's; \"a\" $x.png",
            "h/v1/user/uploadpicture",
        ],
    ] {
        let page = json(words);
        let output = Command::new("sh")
            .args(["-c", &commands(words)])
            .env("PATH", &search)
            .env("TOKEN", "tok en")
            .env("PASSWORD", "pw")
            .env("USER_ID", "u1")
            .output()
            .expect("a shell");
        assert!(
            output.stderr.is_empty(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let text = String::from_utf8(output.stdout).expect("text");
        let runs: Vec<Vec<&str>> = text
            .split("\0\0")
            .filter(|run| !run.is_empty())
            .map(|run| run.split('\0').collect())
            .collect();
        let calls = page["calls"].as_array().expect("calls");
        assert_eq!(runs.len(), calls.len(), "{words:?}");
        for (run, call) in runs.iter().zip(calls) {
            let after = |option: &str| {
                run.iter()
                    .position(|word| *word == option)
                    .map(|at| run[at + 1])
            };
            let url = call["url"].as_str().unwrap().replace("$USER_ID", "u1");
            assert!(run.contains(&url.as_str()), "{run:?}");
            assert_eq!(after("-X").unwrap_or("GET"), call["method"]);
            assert_eq!(after("-H"), Some("Authorization: Bearer tok en"));
            let body = call["body"].to_string().replace("$PASSWORD", "pw");
            let body: Value = serde_json::from_str(&body).unwrap();
            let sent = after("-d").map_or(Value::Null, |body| serde_json::from_str(body).unwrap());
            assert_eq!(sent, body);
            if let Some(path) = call["file"]["path"].as_str() {
                let quoted = path.replace('"', "\\\"");
                assert_eq!(
                    after("-F"),
                    Some(format!("pic_file=@\"{quoted}\"").as_str())
                );
            }
        }
    }
}
